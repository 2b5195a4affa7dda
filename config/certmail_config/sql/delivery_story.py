"""Reading one delivery from the record, with all that happened to it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection as Db
from sqlalchemy import select

from certmail_config.sql import tables
from certmail_config.sql.deliveries import COLUMNS, Row

ATTEMPT_COLUMNS: Final = (
    "n",
    "begun_at",
    "ended_at",
    "outcome",
    "reason",
    "http_status",
    "google_reason",
    "latency_ms",
    "gmail_id",
    "gmail_thread_id",
    "key_id",
    "connection_version",
    "template_version",
    "locale",
    "message_sha256",
    "subject_sha256",
    "composed_at",
    "release",
    "worker",
)


@dataclass(frozen=True, slots=True)
class Story:
    """A delivery, its attempts, and what happened to it, the oldest first.

    Each event has its own fields.
    """

    delivery: Row
    attempts: tuple[Row, ...]
    events: tuple[Row, ...]


def read_story(db: Db, job: str) -> Story | None:
    """All that is on record of a reminder; None if nothing is."""
    deliveries, attempts, events = tables.deliveries.c, tables.attempts.c, tables.events.c
    found = (
        db.execute(
            select(*(deliveries[name] for name in (*COLUMNS, "connection"))).where(
                deliveries.job == job
            )
        )
        .mappings()
        .one_or_none()
    )
    if found is None:
        return None

    tried = select(*(attempts[name] for name in ATTEMPT_COLUMNS)).where(attempts.job == job)
    happened = (
        select(events.at, events.type, events.data)
        .where(events.job == job)
        .order_by(events.stream_ms, events.stream_n)
    )
    return Story(
        dict(found),
        tuple(dict(row) for row in db.execute(tried.order_by(attempts.n)).mappings()),
        tuple({"at": row.at, "type": row.type, **_shown(row.data)} for row in db.execute(happened)),
    )


_SHOWN_OF_EVENTS: Final = (
    "state",
    "reason",
    "attempt",
    "outcome",
    "worker",
    "held",
    "possible_duplicate",
)


def _shown(data: str) -> dict[str, Any]:
    """What an event tells a person; keyed hashes and what the attempt says already are left out."""
    fields: dict[str, str] = json.loads(data)
    return {
        name: fields[name] for name in _SHOWN_OF_EVENTS if fields.get(name) not in {None, "", "0"}
    }
