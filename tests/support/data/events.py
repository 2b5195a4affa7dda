"""Events as the ledger's stream has them, for tests of what is recorded.

This folder is plain data, and what reads or judges data, for tests of any layer.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from certmail_worker.recording.rows import Event

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def enqueued(
    n: int, job: str = "j", state: str = "ready", *, to: str = "anna@people.example", **more: str
) -> Event:
    fields = {
        "job": job,
        "tenant": "acme",
        "connection": "c",
        "kind": "reminder",
        "campaign": "q4",
        "state": state,
        "reason": "",
        "send_at": "",
        "expires_at": "1900000000000",
        "dedupe": "acme:d",
        "fingerprint": "f",
        "priority": "5",
    }

    return Event(f"{n}-0", "enqueued", at(n), fields | more, recipient=to)


def begun(n: int, attempt: int = 1, job: str = "j") -> Event:
    fields = {
        "job": job,
        "tenant": "acme",
        "connection": "c",
        "attempt": str(attempt),
        "state": "sending",
        "worker": "w",
    }

    return Event(
        f"{n}-0",
        "begun",
        at(n),
        fields,
        mailbox="reviews@acme.example",
        key_id="key of the recorder",
    )


def settled(
    n: int,
    state: str,
    outcome: str,
    attempt: int = 1,
    job: str = "j",
    *,
    reason: str = "why",
    **detail: object,
) -> Event:
    fields = {
        "job": job,
        "tenant": "acme",
        "connection": "c",
        "attempt": str(attempt),
        "outcome": outcome,
        "state": state,
        "reason": reason,
        "held": "0",
        "detail": json.dumps(detail),
    }

    return Event(f"{n}-0", "settled", at(n), fields)


def happened(n: int, kind: str, state: str, reason: str, job: str = "j", **more: str) -> Event:
    """Any other event of a job."""
    fields = {"job": job, "tenant": "acme", "state": state, "reason": reason}
    return Event(f"{n}-0", kind, at(n), fields | more)


def at(n: int) -> datetime:
    """When the n-th event happened."""
    return NOW + timedelta(seconds=n)
