"""The record in SQL: events become deliveries and attempts, in one transaction with the cursor.

The cursor moves only from where the writer found it: of two recorders one wins, and the other's
transaction is undone. What the database does not take is found by halves and set aside
(set_aside.py), so that it holds up no other.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection as Db
from sqlalchemy import Engine, Table, Text, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from certmail_config.base.redaction import quote
from certmail_config.ledger.values import split_words
from certmail_config.sql import tables
from certmail_config.sql.tables import UtcDateTime
from certmail_config.tenants.models import ConnectionState
from certmail_worker.recording.rows import (
    REPORTED,
    Event,
    change,
    end_of_attempt,
    event_row,
    new_attempt,
    new_delivery,
    reports_request,
)
from certmail_worker.recording.set_aside import Aside, aside_row, lies_in_data, why

log = logging.getLogger(__name__)

START: Final = "0-0"
MAX_NAMED: Final = 5
"""Of the events that are set aside together, so many are named in the log."""
_SET_ASIDE_REMEDY: Final = (
    "`certmail doctor` says more; they are in the table set_aside. "
    "Whoever writes to Redis beside certmail may have made them."
)


class CursorMovedError(Exception):
    """Another recorder has recorded these events."""


@dataclass(frozen=True, slots=True)
class RecordPosition:
    """How far the record is, and of which ledger.

    `seen_at` is when it was last seen that nothing more had happened.
    """

    cursor: str = START
    epoch: str | None = None
    seen_at: datetime | None = None


def read_position(engine: Engine) -> RecordPosition:
    """The record's position; raises SQLAlchemyError."""
    with engine.begin() as db:
        row = db.execute(
            select(tables.recorder.c.cursor, tables.recorder.c.epoch, tables.recorder.c.seen_at)
        ).one_or_none()
        if row is None:
            db.execute(insert(tables.recorder).values(id=1, cursor=START))
            return RecordPosition()
        return RecordPosition(row.cursor, row.epoch, row.seen_at)


def read_cursor(engine: Engine) -> str:
    """The last event recorded; `0-0` before the first."""
    return read_position(engine).cursor


def write_position(engine: Engine, was: RecordPosition, now: RecordPosition) -> None:
    """Move the position without recording anything; raises CursorMovedError."""
    with engine.begin() as db:
        move = update(tables.recorder).where(
            tables.recorder.c.id == 1, tables.recorder.c.cursor == was.cursor
        )
        values = {"cursor": now.cursor, "epoch": now.epoch, "seen_at": now.seen_at}
        if db.execute(move.values(values)).rowcount != 1:
            raise CursorMovedError


def note_seen(engine: Engine, cursor: str, at: datetime) -> None:
    """Note that at this time nothing had happened beyond the cursor."""
    with engine.begin() as db:
        where = (tables.recorder.c.id == 1) & (tables.recorder.c.cursor == cursor)
        db.execute(update(tables.recorder).where(where).values(seen_at=at))


def write_all(
    engine: Engine,
    cursor: str,
    read: Sequence[Event | Aside],
    raw: Mapping[str, Mapping[bytes, bytes]],
) -> str:
    """Write a batch, whole if that is possible; gives the cursor behind it.

    `raw` has its entries as they lie in the stream.

    Raises CursorMovedError, and SQLAlchemyError where it does not lie in what was to be written.
    """
    try:
        write(engine, cursor, read)
    except CursorMovedError:
        raise
    except Exception as error:
        if not lies_in_data(error) or (len(read) == 1 and isinstance(read[0], Aside)):
            raise
        if len(read) > 1:
            half = len(read) // 2
            return write_all(engine, write_all(engine, cursor, read[:half], raw), read[half:], raw)

        aside = Aside(read[0].id, raw[read[0].id], why(error))
        write(engine, cursor, [aside])

    return read[-1].id


def write(engine: Engine, cursor: str, read: Sequence[Event | Aside]) -> None:
    """Write a batch whole; raises CursorMovedError if somebody else has recorded since `cursor`."""
    events = [each for each in read if isinstance(each, Event)]
    aside = [each for each in read if isinstance(each, Aside)]

    with engine.begin() as db:
        move = update(tables.recorder).where(
            tables.recorder.c.id == 1, tables.recorder.c.cursor == cursor
        )
        seen_at = func.coalesce(
            bindparam("last", read[-1].at, type_=UtcDateTime), tables.recorder.c.seen_at
        )
        if db.execute(move.values(cursor=read[-1].id, seen_at=seen_at)).rowcount != 1:
            raise CursorMovedError

        if events:
            _write_events(db, events)
            _write_deliveries(db, events)
            _write_attempts(db, events)
            _write_suspensions(db, events)

        if aside:
            db.execute(
                insert(tables.set_aside), [aside_row(each, datetime.now(UTC)) for each in aside]
            )

    if aside:
        named = [f"{each.id}: {quote(each.reason, 100)}" for each in aside[:MAX_NAMED]]
        log.error(
            "events_set_aside",
            extra={"count": len(aside), "events": named, "remedy": _SET_ASIDE_REMEDY},
        )


def _write_suspensions(db: Db, events: Sequence[Event]) -> None:
    """Suspend the connections about which delivery found something out.

    Late news of another version of a connection changes nothing.
    """
    table = tables.connections

    for event in events:
        if event.type != "suspended":
            continue

        message, remedy = split_words(event.fields["message"])
        where = (
            (table.c.id == event.fields["connection"])
            & (table.c.version == int(event.fields["version"]))
            & (table.c.tenant == event.fields.get("tenant", table.c.tenant))
            & (table.c.state == ConnectionState.ACTIVE)
        )

        db.execute(
            update(table)
            .where(where)
            .values(
                state=ConnectionState.ATTENTION,
                code=event.fields["code"],
                message=message,
                remedy=remedy,
                refused_since=event.at,
            )
        )


def _write_events(db: Db, events: Sequence[Event]) -> None:
    db.execute(insert(tables.events), [event_row(event) for event in events])


def _write_deliveries(db: Db, events: Sequence[Event]) -> None:
    table = tables.deliveries
    this = table.c.job == bindparam("b_job")

    if new := [new_delivery(event) for event in events if event.type == "enqueued"]:
        # Again with the same id: a producer repeated it on a server that had forgotten it.
        db.execute(_insert(db, table).on_conflict_do_nothing(), new)

    if changes := [row for event in events if (row := change(event))]:
        # What came of a decision later does not make it undone.
        decision = func.coalesce(bindparam("decision", type_=Text), table.c.decided_by)
        names = ("state", "reason", "held", "updated_at")
        values = {name: bindparam(name, type_=table.c[name].type) for name in names}
        db.execute(update(table).where(this).values(**values, decided_by=decision), changes)

    doubled = [event for event in events if event.fields.get("possible_duplicate") == "1"]
    if doubled:
        marks = [{"b_job": event.fields["job"]} for event in doubled]
        db.execute(update(table).where(this).values(possible_duplicate=True), marks)

    if begun := [event for event in events if reports_request(event.type, event.fields)]:
        db.execute(
            update(table).where(this),
            [{"b_job": event.fields["job"], "mailbox": event.mailbox} for event in begun],
        )


def _write_attempts(db: Db, events: Sequence[Event]) -> None:
    table = tables.attempts
    begun = [new_attempt(event) for event in events if reports_request(event.type, event.fields)]
    jobs = tables.deliveries.c.job
    known = set(db.execute(select(jobs).where(jobs.in_([row["job"] for row in begun]))).scalars())

    if unknown := [row["job"] for row in begun if row["job"] not in known]:
        log.error(
            "deliveries_unknown",
            extra={"jobs": unknown, "remedy": "Their enqueueing is not on record."},
        )

    if begun := [row for row in begun if row["job"] in known]:
        made = _insert(db, table)
        again = {name: made.excluded[name] for name in ("worker", "begun_at")}
        db.execute(made.on_conflict_do_update(index_elements=["job", "n"], set_=again), begun)

    if ended := [row for event in events if (row := end_of_attempt(event))]:
        where = (table.c.job == bindparam("b_job")) & (table.c.n == bindparam("b_n"))
        db.execute(update(table).where(where).values(_end(table)), ended)


def _end(table: Table) -> dict[str, Any]:
    """The columns of an attempt's end.

    What is not reported anew stays; an end that no worker reports is the time of the event.
    """
    known = table.c.ended_at
    reported = bindparam("reported_end", type_=known.type)
    event_at = bindparam("event_at", type_=known.type)

    return {
        "outcome": bindparam("outcome", type_=table.c.outcome.type),
        "reason": bindparam("reason", type_=table.c.reason.type),
        "ended_at": func.coalesce(reported, known, event_at),
        **{
            name: func.coalesce(bindparam(f"b_{name}", type_=table.c[name].type), table.c[name])
            for name in REPORTED
        },
    }


def _insert(db: Db, table: Table) -> Any:
    """An INSERT in the database's own dialect, for rows that may be there already."""
    return sqlite.insert(table) if db.dialect.name == "sqlite" else postgresql.insert(table)
