"""What came of the requests that were made for deliveries, as columns beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection as Db
from sqlalchemy import select

from certmail_config.jobs.states import AttemptOutcome
from certmail_config.sql import tables

REQUEST_COLUMNS: Final = (
    "attempts",
    "left_at",
    "http_status",
    "google_reason",
    "gmail_id",
    "gmail_thread_id",
    "latency_ms",
)
"""How many requests there were, when the reminder left, and what Google answered.

The time is there if the reminder may have left; the answer is that to the request that counts.
That is the one that Gmail accepted, or else the last. The time is that of the accepted one, or else
of the last whose answer was lost.
"""
_READ: Final = ("job", "n", "begun_at", "outcome", *REQUEST_COLUMNS[2:])


def with_requests(db: Db, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Deliveries with what came of their requests: one query more, however many there are."""
    attempts = tables.attempts.c
    wanted = [row["job"] for row in rows]
    found = db.execute(
        select(*(attempts[name] for name in _READ))
        .where(attempts.job.in_(wanted))
        .order_by(attempts.job, attempts.n)
    ).mappings()
    by_job = groupby(found, lambda row: row["job"])
    totals = {job: _request_columns([dict(each) for each in theirs]) for job, theirs in by_job}
    nothing = dict.fromkeys(REQUEST_COLUMNS) | {"attempts": 0}

    return [dict(row) | totals.get(row["job"], nothing) for row in rows]


def _request_columns(attempts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    accepted = [each for each in attempts if each["outcome"] == AttemptOutcome.ACCEPTED]
    lost = [each for each in attempts if each["outcome"] == AttemptOutcome.UNKNOWN]
    may_have_left = accepted or lost
    left_at: datetime | None = may_have_left[-1]["begun_at"] if may_have_left else None
    of: Mapping[str, Any] = (accepted or attempts)[-1]
    return {
        "attempts": len(attempts),
        "left_at": left_at,
        **{name: of[name] for name in REQUEST_COLUMNS[2:]},
    }
