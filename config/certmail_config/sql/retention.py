"""Forgetting what was kept for long enough, some at a time.

Addresses go first, whole records later.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection as Db
from sqlalchemy import Select, delete, select, update

from certmail_config.base.ids import JobId
from certmail_config.jobs.states import FINAL, State
from certmail_config.sql import tables

ENDED = FINAL | {State.UNCERTAIN}
"""What nothing but a person changes any more."""


def forget_addresses(db: Db, before: datetime, limit: int) -> int:
    """Take the recipients out of deliveries that ended before a time; gives of how many."""
    record = tables.deliveries
    found = _ended(before, limit).where(record.c.recipient.is_not(None))
    jobs = list(db.execute(found).scalars())
    db.execute(update(record).where(record.c.job.in_(jobs)).values(recipient=None))
    return len(jobs)


def forget_records(db: Db, before: datetime, limit: int) -> int:
    """Delete deliveries that ended before a time, with their attempts and events.

    Gives how many.
    """
    jobs = list(db.execute(_ended(before, limit)).scalars())
    for table in (tables.events, tables.attempts, tables.deliveries):
        db.execute(delete(table).where(table.c.job.in_(jobs)))
    return len(jobs)


def forget_events(db: Db, before: datetime, limit: int) -> int:
    """Delete events that belong to no reminder, of lanes and pauses, from before a time.

    Gives how many.
    """
    events = tables.events
    old = (
        select(events.c.stream_ms, events.c.stream_n)
        .where(events.c.job.is_(None), events.c.at < before)
        .order_by(events.c.at)
        .limit(limit)
    )

    ids = db.execute(old).all()
    for ms, n in ids:
        db.execute(delete(events).where(events.c.stream_ms == ms, events.c.stream_n == n))
    return len(ids)


def forget_set_aside(db: Db, before: datetime) -> None:
    """Delete events that were set aside before a time: whoever was to look into it has."""
    db.execute(delete(tables.set_aside).where(tables.set_aside.c.at < before))


def undecided(db: Db, before: datetime) -> list[JobId]:
    """Deliveries that have been uncertain since before a time, and that nobody decided about."""
    record = tables.deliveries.c
    query = select(record.job).where(
        record.state == State.UNCERTAIN, record.updated_at < before, record.decided_by.is_(None)
    )
    return [JobId(job) for job in db.execute(query).scalars()]


def _ended(before: datetime, limit: int) -> Select[tuple[str]]:
    """What was enqueued and changed last before a time; read in the order of an index."""
    record = tables.deliveries.c
    return (
        select(record.job)
        .where(
            record.enqueued_at < before, record.updated_at < before, record.state.in_(sorted(ENDED))
        )
        .order_by(record.enqueued_at, record.job)
        .limit(limit)
    )
