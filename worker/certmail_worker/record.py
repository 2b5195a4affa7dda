"""The record in SQL: events become deliveries and attempts, in one transaction with the cursor.

The cursor moves only from where the writer found it: of two recorders one wins, and the other's transaction is undone.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection as Db
from sqlalchemy import Engine, Table, Text, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from certmail_config.connections import ConnectionState
from certmail_config.ledger.values import split_words
from certmail_config.sql import tables
from certmail_worker.rows import (
    LEARNT,
    Event,
    change,
    end_of_attempt,
    event_row,
    new_attempt,
    new_delivery,
)

log = logging.getLogger(__name__)

START: Final = "0-0"


class CursorMovedError(Exception):
    """Another recorder has recorded these events."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far the record is, and of which ledger; `seen_at` is when it was last seen that nothing more had happened."""

    cursor: str = START
    epoch: str | None = None
    seen_at: datetime | None = None


def read_position(engine: Engine) -> Position:
    """Where the record stands; raises SQLAlchemyError."""
    with engine.begin() as db:
        row = db.execute(
            select(tables.recorder.c.cursor, tables.recorder.c.epoch, tables.recorder.c.seen_at)
        ).one_or_none()
        if row is None:
            db.execute(insert(tables.recorder).values(id=1, cursor=START))
            return Position()
        return Position(row.cursor, row.epoch, row.seen_at)


def read_cursor(engine: Engine) -> str:
    """The last event recorded; `0-0` before the first."""
    return read_position(engine).cursor


def write_position(engine: Engine, was: Position, now: Position) -> None:
    """Move the position without recording anything; raises CursorMovedError."""
    with engine.begin() as db:
        move = update(tables.recorder).where(
            tables.recorder.c.id == 1, tables.recorder.c.cursor == was.cursor
        )
        values = {"cursor": now.cursor, "epoch": now.epoch, "seen_at": now.seen_at}
        if db.execute(move.values(values)).rowcount != 1:
            raise CursorMovedError


def seen_nothing(engine: Engine, cursor: str, at: datetime) -> None:
    """Note that at this time nothing had happened beyond the cursor."""
    with engine.begin() as db:
        where = (tables.recorder.c.id == 1) & (tables.recorder.c.cursor == cursor)
        db.execute(update(tables.recorder).where(where).values(seen_at=at))


def write(engine: Engine, cursor: str, events: Sequence[Event]) -> None:
    """Write a batch whole; raises CursorMovedError if somebody else has recorded since `cursor`."""
    with engine.begin() as db:
        move = update(tables.recorder).where(tables.recorder.c.id == 1, tables.recorder.c.cursor == cursor)
        if db.execute(move.values(cursor=events[-1].id, seen_at=events[-1].at)).rowcount != 1:
            raise CursorMovedError
        _write_events(db, events)
        _write_deliveries(db, events)
        _write_attempts(db, events)
        _write_suspensions(db, events)


def _write_suspensions(db: Db, events: Sequence[Event]) -> None:
    """What delivery found out about a connection; late news of another version of it changes nothing."""
    table = tables.connections
    for event in events:
        if event.type != "suspended":
            continue
        message, remedy = split_words(event.fields["message"])
        where = (
            (table.c.id == event.fields["connection"])
            & (table.c.version == int(event.fields["version"]))
            & (table.c.state == ConnectionState.ACTIVE)
        )
        values = {"state": ConnectionState.ATTENTION, "code": event.fields["code"], "message": message}
        db.execute(update(table).where(where).values(**values, remedy=remedy, refused_since=event.at))


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
    if begun := [event for event in events if event.type == "begun"]:
        db.execute(
            update(table).where(this),
            [{"b_job": event.fields["job"], "mailbox": event.mailbox} for event in begun],
        )


def _write_attempts(db: Db, events: Sequence[Event]) -> None:
    table = tables.attempts
    begun = [new_attempt(event) for event in events if event.type == "begun"]
    jobs = tables.deliveries.c.job
    known = set(db.execute(select(jobs).where(jobs.in_([each["job"] for each in begun]))).scalars())
    if strange := [each["job"] for each in begun if each["job"] not in known]:
        log.error(
            "deliveries_unknown", extra={"jobs": strange, "remedy": "Their enqueueing is not on record."}
        )
    if begun := [each for each in begun if each["job"] in known]:
        made = _insert(db, table)
        again = {name: made.excluded[name] for name in ("worker", "begun_at")}
        db.execute(made.on_conflict_do_update(index_elements=["job", "n"], set_=again), begun)
    if ended := [row for event in events if (row := end_of_attempt(event))]:
        where = (table.c.job == bindparam("b_job")) & (table.c.n == bindparam("b_n"))
        db.execute(update(table).where(where).values(_end(table)), ended)


def _end(table: Table) -> dict[str, Any]:
    """What is not said anew stays; an end that nobody tells is when it was heard of."""
    at = table.c.ended_at
    told, heard = (bindparam(name, type_=at.type) for name in ("told_end", "heard_at"))
    return {
        "outcome": bindparam("outcome", type_=table.c.outcome.type),
        "reason": bindparam("reason", type_=table.c.reason.type),
        "ended_at": func.coalesce(told, at, heard),
        **{
            name: func.coalesce(bindparam(f"b_{name}", type_=table.c[name].type), table.c[name])
            for name in LEARNT
        },
    }


def _insert(db: Db, table: Table) -> Any:
    """Both databases know what to do about a row that is there already, each in its own words."""
    return sqlite.insert(table) if db.dialect.name == "sqlite" else postgresql.insert(table)
