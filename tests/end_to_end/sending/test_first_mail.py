"""From nothing to mail in a mailbox, by commands."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from hashlib import sha256
from pathlib import Path

import pytest

from support.deployment.deployment import (
    QUICK,
    Deployment,
    campaign,
    new_deployment,
    recorded_in,
    wait_for,
)


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with new_deployment(tmp_path, **QUICK) as made:
        yield made


@pytest.fixture
def recording(tmp_path: Path, ready_database: str) -> Iterator[Deployment]:
    with new_deployment(tmp_path, **QUICK, **recorded_in(ready_database)) as made:
        yield made


def test_a_campaign_file_becomes_mail_in_mailboxes_and_rows_on_record(
    recording: Deployment,
) -> None:
    deployment = recording
    deployment.link()
    assert deployment.ask("tenants", "set", "acme", "--reply-to", "IT-Help@acme.example")[
        "reply_to"
    ] == ("IT-Help@acme.example")

    worker = deployment.worker()
    sent = deployment.ask("send", "-", stdin=campaign(8))
    assert (sent["enqueued"], sent["duplicates"], sent["rejected"]) == (8, 0, [])

    jobs = [receipt["id"] for receipt in sent["receipts"]]
    deployment.wait_recorded(jobs, {"accepted"})
    listed = deployment.ask("deliveries", "list", "--campaign", "q4")["deliveries"]
    assert {row["job"]: row["state"] for row in listed} == dict.fromkeys(jobs, "accepted")
    assert {row["recipient"] for row in listed} == {f"reviewer{n}@people.example" for n in range(8)}
    assert deployment.copies() == dict.fromkeys(jobs, 1)

    status = deployment.ask("status", jobs[0].upper())
    assert status["state"] == "accepted"
    assert status["mailbox"] == "reviews@acme.example"
    assert not status["possible_duplicate"]

    [attempt] = status["attempts"]
    assert (attempt["n"], attempt["http_status"], attempt["outcome"]) == (1, 200, "accepted")
    assert attempt["gmail_id"] in {message["id"] for message in deployment.messages()}
    assert 0 < attempt["latency_ms"] < 10_000

    connection = deployment.admin.connection("acme/default")
    assert (attempt["key_id"], attempt["connection_version"]) == (
        connection.key_id,
        connection.version,
    )
    assert (attempt["locale"], attempt["template_version"]) == ("en", None)
    assert len(attempt["message_sha256"]) == 64
    assert (status["recipient"], status["campaign"]) == ("reviewer0@people.example", "q4")
    assert [event["type"] for event in status["history"]] == ["enqueued", "begun", "settled"]

    message = next(
        message for message in deployment.messages() if message["certmail_id"] == jobs[3]
    )
    mail = message_from_bytes(base64.urlsafe_b64decode(message["raw"] + "=="), policy=default)

    assert mail["To"].addresses[0].addr_spec == "reviewer3@people.example"
    assert mail["From"].addresses[0].addr_spec == "reviews@acme.example"
    assert "Quarterly secret campaign" in mail["Subject"]
    [proof] = deployment.ask("status", jobs[3])["attempts"]
    assert proof["subject_sha256"] == sha256(str(mail["Subject"]).encode()).hexdigest()
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Reply-To"].addresses[0].addr_spec == "IT-Help@acme.example"

    text = mail.get_body(("plain",))
    assert text is not None
    assert "Questions? Write to IT-Help@acme.example" in text.get_content()

    again = deployment.ask("send", "-", stdin=campaign(8))
    assert (again["enqueued"], again["duplicates"]) == (0, 8)
    assert [receipt["id"] for receipt in again["receipts"]] == jobs

    worker.terminate()
    assert worker.wait(60) == 0
    assert sum(deployment.copies().values()) == 8


def test_reminders_sent_while_nothing_runs_leave_when_a_worker_starts(
    deployment: Deployment,
) -> None:
    deployment.link()
    jobs = deployment.send(campaign(3))
    assert deployment.status(jobs[0])["state"] == "ready"
    deployment.worker()
    deployment.wait_recorded(jobs, {"accepted"})
    assert deployment.copies() == dict.fromkeys(jobs, 1)


def test_a_tenant_without_a_working_connection_keeps_its_reminders_until_it_has_one(
    deployment: Deployment,
) -> None:
    deployment.ask("tenants", "add", "acme")
    deployment.worker()
    [job] = deployment.send(campaign(1))
    status = deployment.status(job)

    assert status["state"] == "ready"
    assert (
        status["reason"] == "connection_draft: the connection 'default' of acme is not set up yet"
    )

    account, mailbox = "certmail@acme-it.iam.gserviceaccount.com", "reviews@acme.example"
    options = ["--kind", "customer_owned_app", "--service-account", account, "--mailbox", mailbox]
    connection = deployment.ask("connections", "add", "acme", *options)["id"]
    assert deployment.status(job)["reason"].startswith("connection_pending: ")

    unknown = deployment.run("connections", "probe", connection, "--json")
    assert (unknown.status, unknown.json["state"], unknown.json["code"]) == (
        1,
        "attention",
        "service_account_unknown",
    )

    deployment.control("POST", "/accounts", {"email": mailbox})
    deployment.control("POST", "/service-accounts", {"email": account, "project": "acme-it"})
    missing = deployment.run("connections", "probe", "acme/default", "--json")
    assert (missing.status, missing.json["code"]) == (1, "certificate_not_uploaded")

    deployment.control(
        "POST",
        f"/service-accounts/{account}/keys",
        deployment.run("connections", "certificate", connection).out,
    )
    alone = deployment.run("connections", "probe", connection, "--json").json

    assert (alone["state"], alone["code"]) == ("attention", "delegation_missing")
    assert "unauthorized_client" in alone["message"]
    assert "client ID" in alone["remedy"]
    assert "unauthorized_client" in deployment.status(job)["reason"]
    assert deployment.messages() == []

    deployment.control(
        "PUT",
        f"/service-accounts/{account}/delegation",
        {"scopes": ["https://www.googleapis.com/auth/gmail.send"]},
    )
    assert deployment.ask("connections", "probe", connection)["state"] == "active"

    deployment.wait_recorded([job], {"accepted"})


def test_a_withdrawn_permission_stops_the_lane_in_googles_words_and_jobs_leave_once_it_is_back(
    deployment: Deployment,
) -> None:
    connection = deployment.link()
    account = "certmail@acme-it.iam.gserviceaccount.com"
    deployment.control("PUT", f"/service-accounts/{account}/delegation", {"scopes": []})
    deployment.worker()
    jobs = deployment.send(campaign(3))
    wait_for(
        "the lane stops",
        lambda: (deployment.status(jobs[0])["reason"] or "").startswith("delegation_missing: "),
    )
    assert [deployment.status(job)["attempts"] for job in jobs] == [[], [], []]

    deployment.control(
        "PUT",
        f"/service-accounts/{account}/delegation",
        {"scopes": ["https://www.googleapis.com/auth/gmail.send"]},
    )
    deployment.ask("connections", "probe", connection)
    deployment.wait_recorded(jobs, {"accepted"})

    assert deployment.copies() == dict.fromkeys(jobs, 1)
