"""What keeps a request from leaving (google.md §1.5, last row).

Nothing was sent, so the same reminder is tried again.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from certmail_config.ledger.view import JobView
from support.deployment.deployment import QUICK, new_deployment, wait_for
from support.deployment.many_tenants import ManyTenants, many_tenants
from support.processes.halt import Process


@pytest.fixture
def people(tmp_path: Path) -> Iterator[ManyTenants]:
    with new_deployment(tmp_path, **QUICK) as deployment, many_tenants(deployment) as made:
        made.add("acme")
        made.add("globex", linked=True)
        yield made


def _closed_port() -> str:
    """An address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def _end(worker: Process) -> None:
    worker.terminate()
    assert worker.wait(60) == 0


def _put_off(people: ManyTenants, job: str, tries: int, reason: str) -> JobView:
    """Wait until so many tries have failed and the next is put off; gives the job as it stands."""

    def is_put_off() -> bool:
        status = people.status(job)
        return (
            people.job(job).get("failures") == str(tries)
            and status.state == "scheduled"
            and (status.reason or "").startswith(reason)
        )

    wait_for(f"try {tries} put off for {reason}", is_put_off)
    return people.status(job)


def test_a_reminder_whose_requests_cannot_leave_waits_longer_each_time_and_is_accepted_once(
    people: ManyTenants,
) -> None:
    nowhere, tls = _closed_port(), people.deployment.google.replace("http://", "https://")
    linked = people.remind("globex", "first")
    job = people.remind("acme", "first")

    worker = people.deployment.worker(
        CERTMAIL_GMAIL_URL=f"http://{nowhere}",
        CERTMAIL_GOOGLE_TOKEN_URL=f"http://{nowhere}/token",
        CERTMAIL_OAUTH_CLIENT_ID="",
    )
    assert _put_off(people, job, 1, "token_unavailable: ").attempts == []

    # Without our own client nobody can mend it but the operator: the customer's lane stays open.
    missing = _put_off(people, linked, 1, "client_missing: ")
    assert "CERTMAIL_OAUTH_CLIENT_ID" in (missing.reason or "")
    assert people.lane("globex")["state"] == "open"

    _end(worker)
    people.let_ask_again()

    for tries, url in ((2, f"http://{nowhere}"), (3, tls), (4, "http://gmail.invalid")):
        people.let_come(job)
        worker = people.deployment.worker(CERTMAIL_GMAIL_URL=url)
        status = _put_off(people, job, tries, "not_sent: ")
        ended_at = status.attempts[-1].ended_at
        until = people.until("acme", job)
        assert ended_at is not None
        assert until is not None
        assert 2**tries - 0.1 <= (until - ended_at).total_seconds() <= 2**tries + 2.1

        _end(worker)
    assert people.posts() == []

    people.let_come(linked)
    people.let_come(job)
    people.deployment.worker()
    attempts = people.settled(job, "accepted").attempts

    assert [(attempt.http_status, attempt.outcome) for attempt in attempts] == [
        (None, "not_sent")
    ] * 3 + [(200, "accepted")]

    people.settled(linked, "accepted")
    assert people.deployment.copies() == {job: 1, linked: 1}
