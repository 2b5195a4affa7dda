"""Doubts in a running deployment: listed with who decides, settled by hand, and what follows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.deployment.deployment import QUICK, Deployment, campaign, deployment, wait_for


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Deployment]:
    with deployment(tmp_path, **QUICK) as made:
        made.link()
        yield made


def doubt(place: Deployment, fault: str) -> str:
    """A reminder of which nobody knows whether it arrived."""
    place.fault(fault)
    [job] = place.send(campaign(1, campaign=fault))
    wait_for(f"{fault} to be recorded", lambda: place.recorded().get(job) == "uncertain")
    return job


def test_what_a_person_says_is_carried_out_and_recorded(place: Deployment) -> None:
    place.worker()
    arrived, lost = doubt(place, "reset_after"), doubt(place, "reset_before")
    listed = place.ask("uncertain", "list")["uncertain"]
    assert {(row["job"], row["waits_for"]) for row in listed} == {
        (arrived, "a person"),
        (lost, "a person"),
    }
    assert all(row["recipient"].endswith("@people.example") for row in listed)

    assert place.ask("uncertain", "settle", arrived.upper(), "--as", "arrived")["settled"] == 1
    said = place.ask(
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
    recorded = place.wait_recorded([arrived, lost], {"accepted"})
    assert recorded[lost] == "accepted"
    assert place.copies() == {arrived: 1, lost: 1}
    assert not place.status(lost)["possible_duplicate"]
    assert [attempt["outcome"] for attempt in place.status(lost)["attempts"]] == [
        "not_sent",
        "accepted",
    ]
    assert place.status(arrived)["reason"].startswith("settled_by_hand: arrived according to ")
    assert place.ask("uncertain", "list")["uncertain"] == []


def test_what_is_closed_stays_uncertain_and_is_no_longer_listed(place: Deployment) -> None:
    place.worker()
    job = doubt(place, "reset_before")
    assert place.ask("uncertain", "settle", "--all", "--as", "close")["items"] == [
        {"id": job, "done": True, "state": "uncertain"}
    ]
    assert place.ask("uncertain", "list")["uncertain"] == []
    assert place.status(job)["state"] == "uncertain"


def test_it_says_what_it_cannot_do(place: Deployment) -> None:
    place.worker()
    [job] = place.send(campaign(1))
    place.wait_recorded([job], {"accepted"})
    ran = place.run("uncertain", "settle", job, "--as", "send-again")
    assert ran.status == 1
    assert "is accepted, not uncertain: nothing was changed" in ran.err
    assert place.run("uncertain", "settle", "--as", "close").status == 2
    assert place.run("uncertain", "settle", job, "--all", "--as", "close").status == 2
    assert place.run("uncertain", "settle", job, "--as", "whatever").status == 2


def test_the_rule_of_a_tenant_is_changed_and_shown(place: Deployment) -> None:
    assert (
        place.ask("tenants", "set", "acme", "--uncertain", "hold,final=resend")["uncertain"]
        == "hold,final=resend"
    )
    [tenant] = place.ask("tenants", "list")["tenants"]
    assert tenant["uncertain"] == "hold,final=resend"
    assert place.ask("tenants", "set", "acme", "--uncertain", "")["uncertain"] is None
    assert place.run("tenants", "set", "acme", "--uncertain", "maybe").status == 2
    assert place.run("tenants", "set", "acme").status == 2
