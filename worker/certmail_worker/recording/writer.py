"""The record in SQL: events become deliveries, attempts and webhooks, in one transaction with the cursor.

The cursor moves only from where the writer found it: of two recorders one wins, and the other's
transaction is undone. What the database does not take is found by halves and set aside
(set_aside.py), so that it holds up no other.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection as Db
from sqlalchemy import Engine, bindparam, func, insert, select, update

from certmail_config.base.redaction import quote
from certmail_config.ledger.values import split_words
from certmail_config.sql import tables
from certmail_config.sql.tables import UtcDateTime
from certmail_config.tenants.models import ConnectionState
from certmail_worker.recording import statements
from certmail_worker.recording.folding import Fold, Rows
from certmail_worker.recording.outbox import write_outbox
from certmail_worker.recording.rows import Event, event_row
from certmail_worker.recording.set_aside import Aside, aside_row, lies_in_data, why

log = logging.getLogger(__name__)

START: Final = "0-0"
MAX_NAMED: Final = 5
"""Of the events that are set aside together, so many are named in the log."""
_SET_ASIDE_REMEDY: Final = (
    "`certmail doctor` says more; they are in the table set_aside. "
    "Whoever writes to Redis beside certmail may have made them."
)
_MOVE: Final = (
    update(tables.recorder)
    .where(tables.recorder.c.id == 1, tables.recorder.c.cursor == bindparam("was"))
    .values(
        cursor=bindparam("now"),
        seen_at=func.coalesce(bindparam("last", type_=UtcDateTime), tables.recorder.c.seen_at),
    )
)
"""The step of the cursor that a batch makes."""


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
    fold, told = Fold(events), [event_row(event) for event in events]

    with engine.begin() as db:
        # First: from here on no other recorder writes.
        moved = {"was": cursor, "now": read[-1].id, "last": read[-1].at}
        if db.execute(_MOVE, moved).rowcount != 1:
            raise CursorMovedError

        statements.ADD_EVENTS.run(db, told)
        _write_rows(db, fold.rows(statements.look_up(db, fold.to_look_up)))
        _write_suspensions(db, events)
        write_outbox(db, events)
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


def _write_rows(db: Db, rows: Rows) -> None:
    statements.ADD_DELIVERIES.run(db, rows.new)
    statements.CHANGE_DELIVERIES.run(db, rows.changed)
    statements.CHANGE_REQUESTED.run(db, rows.requested)
    statements.MARK_DOUBLED.run(db, rows.doubled)

    statements.ADD_ATTEMPTS.run(db, rows.attempts)
    statements.REPEAT_ATTEMPTS.run(db, rows.repeated)
    for ends in rows.ends:
        statements.END_ATTEMPTS.run(db, ends)

    if rows.unknown:
        log.error(
            "deliveries_unknown",
            extra={"jobs": rows.unknown, "remedy": "Their enqueueing is not on record."},
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
