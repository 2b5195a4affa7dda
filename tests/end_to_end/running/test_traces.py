"""Traces of real processes: what a reminder goes through is told, and nothing of whom it is for."""

from __future__ import annotations

import base64
import signal
from pathlib import Path

import requests

from support.deployment.deployment import (
    BUSY_SECONDS,
    MAILBOX,
    QUICK,
    Deployment,
    campaign,
    new_deployment,
    wait_for,
)
from support.network.collector import Collector, Told, collector

COUNT = 6
APPLICATION = "0af7651916cd43dd8448eb211c80319c"
CALLER = f"00-{APPLICATION}-00f067aa0ba902b7-01"


def all_told(heard: Collector, jobs: list[str], name: str) -> bool:
    return all(heard.of_trace(job)[name] for job in jobs)


def sent_by_api(deployment: Deployment) -> str:
    """Enqueue one over HTTP, as an application that has a trace of its own; gives its id."""
    made = deployment.ask("keys", "create", "the suite", "--tenant", "acme", "--days", "30")
    reminder: dict[str, str | int] = {
        "tenant": "acme",
        "to": "olga@people.example",
        "campaign": "q4",
        "pending": 3,
    }
    answer = requests.post(
        f"{deployment.gateway}/v1/reminders",
        json=reminder,
        headers={"Authorization": f"Bearer {made['key']}", "traceparent": CALLER},
        timeout=BUSY_SECONDS,
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def sent_by_command(deployment: Deployment, path: Path) -> None:
    """Enqueue a campaign from a file, as a person does."""
    path.write_text(campaign(COUNT), encoding="utf-8")
    ran = deployment.run("send", str(path))
    assert ran.status == 0, ran


def secrets(deployment: Deployment) -> list[bytes]:
    """What no trace may hold: who gets mail, from whom, about what, and the keys to it."""
    mails = [base64.urlsafe_b64decode(mail["raw"]) for mail in deployment.messages()]
    subjects = [line for mail in mails for line in mail.splitlines() if line.startswith(b"Subject")]
    assert subjects
    return [
        *(subject.removeprefix(b"Subject: ") for subject in subjects),
        MAILBOX.encode(),
        *(
            word.encode()
            for word in (
                "people.example",
                "reviews@",
                "eviewer",
                "olga",
                "umber",
                "secret campaign",
                "iga.example",
                "q4",
                "ya29",
            )
        ),
    ]


def test_a_reminder_is_followed_from_enqueue_to_google(tmp_path: Path) -> None:
    with collector() as heard, new_deployment(tmp_path / "data", **QUICK) as deployment:
        connection = deployment.link()
        deployment.environment |= heard.environment()
        worker = deployment.worker()
        deployment.open_gateway()
        deployment.fault("reset_after", times=1)  # one answer is lost
        deployment.fault("drop_token")  # and one is refused, and tried again with another token

        by_api = sent_by_api(deployment)
        sent_by_command(deployment, tmp_path / "campaign.csv")
        wait_for("all on record", lambda: len(deployment.recorded()) == COUNT + 1)
        jobs = list(deployment.recorded())
        ended = deployment.wait_recorded(jobs, {"accepted", "uncertain"})
        wait_for("spans of all", lambda: all_told(heard, jobs, "certmail enqueue"))
        wait_for("ends of all", lambda: _ends(heard, jobs) == ended)
        _check(heard, jobs, connection)

        # Whom the application's own trace is shown.
        [enqueue] = heard.of_trace(by_api)["certmail enqueue"]
        assert [link.trace for link in enqueue.links] == [APPLICATION]
        assert enqueue.service == "certmail-gateway"

        sent = b"".join(heard.raw)
        assert not [secret for secret in secrets(deployment) if secret in sent]

        # Who is told stands still: reminders leave as ever, and the worker ends as ever.
        heard.held.clear()
        later = deployment.send(campaign(COUNT, campaign="later"))
        deployment.wait_recorded(later, {"accepted"})
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(BUSY_SECONDS) == 0


def _ends(heard: Collector, jobs: list[str]) -> dict[str, str]:
    """The state that each job's last delivery told of."""
    told = {job: heard.of_trace(job)["certmail deliver"] for job in jobs}
    return {
        job: max(spans, key=lambda span: span.ended).attributes.get("certmail.state", "")
        for job, spans in told.items()
        if spans
    }


def _check(heard: Collector, jobs: list[str], connection: str) -> None:
    """Each job's trace: enqueued, paced, delivered, sent; by links, and by who asked whom."""
    paced = {link for span in heard.spans if span.name == "certmail pace" for link in span.links}
    failed = 0

    for job in jobs:
        of_job = heard.of_trace(job)
        [enqueue] = of_job["certmail enqueue"]
        enqueued = enqueue.id
        assert enqueue.attributes["certmail.tenant.id"] == "acme"
        assert any((link.trace, link.span) == (enqueue.trace, enqueued) for link in paced)

        for deliver in of_job["certmail deliver"]:
            assert [(link.trace, link.span) for link in deliver.links] == [
                (enqueue.trace, enqueued)
            ]
            if deliver.attributes["certmail.state"] == "refused":
                continue
            assert deliver.service == "certmail-worker"
            assert deliver.attributes["certmail.connection.id"] == connection
            assert deliver.attributes["certmail.attempt"] >= 1
            [google] = [each for each in of_job["Google send"] if each.parent == deliver.id]
            assert deliver.begun <= google.begun <= google.ended <= deliver.ended
            assert google.attributes["url.template"] == "/gmail/v1/users/me/messages/send"
            failed += google.failed

    assert failed == 2
    tokens = [span for span in heard.spans if span.name == "Google token"]
    assert _asked_by_a_delivery(heard, tokens)


def _asked_by_a_delivery(heard: Collector, tokens: list[Told]) -> bool:
    deliveries = {span.id for span in heard.spans if span.name == "certmail deliver"}
    return any(token.parent in deliveries for token in tokens)
