"""Doubts in a running deployment: listed with who decides, settled by hand, and what follows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.deployment.deployment import QUICK, Deployment, campaign, new_deployment, wait_for


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with new_deployment(tmp_path, **QUICK) as made:
        made.link()
        yield made


def doubt(deployment: Deployment, fault: str) -> str:
    """A reminder of which nobody knows whether it arrived."""
    deployment.fault(fault)
    [job] = deployment.send(campaign(1, campaign=fault))
    wait_for(f"{fault} to be recorded", lambda: deployment.recorded().get(job) == "uncertain")
    return job


def test_what_a_person_says_is_carried_out_and_recorded(deployment: Deployment) -> None:
    deployment.worker()
    arrived, lost = doubt(deployment, "reset_after"), doubt(deployment, "reset_before")
    listed = deployment.ask("uncertain", "list")["uncertain"]
    assert {(row["job"], row["waits_for"]) for row in listed} == {
        (arrived, "a person"),
        (lost, "a person"),
    }
    assert all(row["recipient"].endswith("@people.example") for row in listed)

    assert deployment.ask("uncertain", "settle", arrived.upper(), "--as", "arrived")["settled"] == 1

    said = deployment.ask(
        "uncertain",
        "settle",
        "--campaign",
        "reset_before",
        "--as",
        "send-again",
        "--reason",
        "seen by ann",
    )
    assert said == {"settled": 1, "items": [{"id": lost, "done": True, "state": "ready"}]}

    recorded = deployment.wait_recorded([arrived, lost], {"accepted"})
    assert recorded[lost] == "accepted"
    assert deployment.copies() == {arrived: 1, lost: 1}
    assert not deployment.status(lost)["possible_duplicate"]
    assert [attempt["outcome"] for attempt in deployment.status(lost)["attempts"]] == [
        "not_sent",
        "accepted",
    ]
    assert deployment.status(arrived)["reason"].startswith("settled_by_hand: arrived according to ")
    assert deployment.ask("uncertain", "list")["uncertain"] == []


def test_what_is_closed_stays_uncertain_and_is_no_longer_listed(deployment: Deployment) -> None:
    deployment.worker()
    job = doubt(deployment, "reset_before")
    assert deployment.ask("uncertain", "settle", "--all", "--as", "close")["items"] == [
        {"id": job, "done": True, "state": "uncertain"}
    ]
    assert deployment.ask("uncertain", "list")["uncertain"] == []
    assert deployment.status(job)["state"] == "uncertain"


def test_it_says_what_it_cannot_do(deployment: Deployment) -> None:
    deployment.worker()
    [job] = deployment.send(campaign(1))
    deployment.wait_recorded([job], {"accepted"})
    ran = deployment.run("uncertain", "settle", job, "--as", "send-again")

    assert ran.status == 1
    assert "is accepted, not uncertain: nothing was changed" in ran.err
    assert deployment.run("uncertain", "settle", "--as", "close").status == 2
    assert deployment.run("uncertain", "settle", job, "--all", "--as", "close").status == 2
    assert deployment.run("uncertain", "settle", job, "--as", "whatever").status == 2


def test_the_rule_of_a_tenant_is_changed_and_shown(deployment: Deployment) -> None:
    assert (
        deployment.ask("tenants", "set", "acme", "--uncertain", "hold,final=resend")["uncertain"]
        == "hold,final=resend"
    )
    [tenant] = deployment.ask("tenants", "list")["tenants"]

    assert tenant["uncertain"] == "hold,final=resend"
    assert deployment.ask("tenants", "set", "acme", "--uncertain", "")["uncertain"] is None
    assert deployment.run("tenants", "set", "acme", "--uncertain", "maybe").status == 2
    assert deployment.run("tenants", "set", "acme").status == 2
