"""The record in SQL: events become deliveries and attempts, in one transaction with the cursor.

The cursor moves only from where the writer found it: of two recorders one wins, and the other's transaction is undone.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection as Db
from sqlalchemy import Engine, Table, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from certmail_config.connections import ConnectionState
from certmail_config.ledger.values import split_words
from certmail_config.sql import tables

log = logging.getLogger(__name__)

START: Final = "0-0"


class CursorMovedError(Exception):
    """Another recorder has recorded these events."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the stream, its fields decoded; `recipient` is opened from the sealed body of `enqueued`."""

    id: str
    type: str
    at: datetime
    fields: Mapping[str, str]
    recipient: str | None = None
    mailbox: str | None = None


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
    rows = []
    for event in events:
        ms, _, n = event.id.partition("-")
        data = {name: value for name, value in event.fields.items() if name not in {"job", "tenant"}}
        rows.append(
            {
                "stream_ms": int(ms),
                "stream_n": int(n),
                "type": event.type,
                "at": event.at,
                "tenant": event.fields.get("tenant"),
                "job": event.fields.get("job"),
                "data": json.dumps(data),
            }
        )
    db.execute(insert(tables.events), rows)


def _write_deliveries(db: Db, events: Sequence[Event]) -> None:
    new, changes = [], []
    for event in events:
        if event.type == "enqueued":
            new.append(_delivery(event))
        elif "job" in event.fields and "state" in event.fields:
            changes.append(
                {
                    "b_job": event.fields["job"],
                    "state": event.fields["state"],
                    "reason": event.fields.get("reason") or None,
                    "held": event.fields.get("held") == "1",
                    "updated_at": event.at,
                }
            )
    if new:
        # Again with the same id: a producer repeated it on a server that had forgotten it.
        db.execute(_insert(db, tables.deliveries).on_conflict_do_nothing(), new)
    if changes:
        db.execute(update(tables.deliveries).where(tables.deliveries.c.job == bindparam("b_job")), changes)
    marks = [
        {"b_job": event.fields["job"]} for event in events if event.fields.get("possible_duplicate") == "1"
    ]
    if marks:
        marked = (
            update(tables.deliveries)
            .where(tables.deliveries.c.job == bindparam("b_job"))
            .values(possible_duplicate=True)
        )
        db.execute(marked, marks)
    mailboxes = [
        {"b_job": event.fields["job"], "mailbox": event.mailbox} for event in events if event.type == "begun"
    ]
    if mailboxes:
        db.execute(update(tables.deliveries).where(tables.deliveries.c.job == bindparam("b_job")), mailboxes)


def _delivery(event: Event) -> dict[str, Any]:
    fields = event.fields
    return {
        "job": fields["job"],
        "tenant": fields["tenant"],
        "connection": fields["connection"],
        "kind": fields["kind"],
        "campaign": fields["campaign"] or None,
        "recipient": event.recipient,
        "mailbox": None,
        "state": fields["state"],
        "reason": fields["reason"] or None,
        "held": False,
        "possible_duplicate": False,
        "enqueued_at": event.at,
        "send_at": _time(fields["send_at"]),
        "expires_at": _time(fields["expires_at"]),
        "updated_at": event.at,
        "dedupe": fields["dedupe"],
        "fingerprint": fields["fingerprint"],
    }


def _write_attempts(db: Db, events: Sequence[Event]) -> None:
    begun = [
        {
            "job": event.fields["job"],
            "n": int(event.fields["attempt"]),
            "worker": event.fields["worker"],
            "begun_at": event.at,
        }
        for event in events
        if event.type == "begun"
    ]
    known = set(
        db.execute(
            select(tables.deliveries.c.job).where(
                tables.deliveries.c.job.in_([each["job"] for each in begun])
            )
        ).scalars()
    )
    if strange := [each["job"] for each in begun if each["job"] not in known]:
        log.error(
            "deliveries_unknown", extra={"jobs": strange, "remedy": "Their enqueueing is not on record."}
        )
    if begun := [each for each in begun if each["job"] in known]:
        made = _insert(db, tables.attempts)
        again = {name: made.excluded[name] for name in ("worker", "begun_at")}
        db.execute(made.on_conflict_do_update(index_elements=["job", "n"], set_=again), begun)
    ended = [
        _ended(event)
        for event in events
        if event.type == "settled" or (event.type == "reaped" and "attempt" in event.fields)
    ]
    if ended:
        where = (tables.attempts.c.job == bindparam("b_job")) & (tables.attempts.c.n == bindparam("b_n"))
        db.execute(update(tables.attempts).where(where), ended)


def _ended(event: Event) -> dict[str, Any]:
    """What became of an attempt; one whose worker was lost has no more than the fact."""
    detail = json.loads(event.fields.get("detail", "{}"))
    return {
        "b_job": event.fields["job"],
        "b_n": int(event.fields["attempt"]),
        "outcome": event.fields.get("outcome", "unknown"),
        "ended_at": datetime.fromisoformat(detail["ended_at"]) if "ended_at" in detail else event.at,
        "http_status": detail.get("http_status"),
        "google_reason": detail.get("google_reason"),
        "gmail_id": detail.get("gmail_id"),
        "gmail_thread_id": detail.get("gmail_thread_id"),
    }


def _insert(db: Db, table: Table) -> Any:
    """Both databases know what to do about a row that is there already, each in its own words."""
    return sqlite.insert(table) if db.dialect.name == "sqlite" else postgresql.insert(table)


def _time(ms: str) -> datetime | None:
    return datetime.fromtimestamp(int(ms) / 1000, UTC) if ms else None
