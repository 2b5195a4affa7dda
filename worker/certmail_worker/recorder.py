"""The recorder: from the ledger's event stream to SQL, each event exactly once.

Rows and cursor are written in one transaction, and the cursor moves only from where this reader found it: of two
recorders one wins, and the other's transaction is undone. The stream is trimmed to just before the cursor's own event,
whose presence proves that the stream is the one that was recorded.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import Connection as Db
from sqlalchemy import Engine, bindparam, insert, select, update

from certmail_config import keys
from certmail_config.errors import SealBroken
from certmail_config.ids import ConnectionId
from certmail_config.sql import tables
from certmail_worker.desk import Desk

log = logging.getLogger(__name__)

BATCH = 500
BLOCK_MS = 500
START = "0-0"


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


async def record(desk: Desk, engine: Engine) -> None:
    """Record until cancelled; raises RedisError, SQLAlchemyError, SealBroken when the vault lacks a key."""
    cursor = await asyncio.to_thread(read_cursor, engine)
    while True:
        entries = await _read(desk, cursor)
        if not entries:
            continue
        events = [await _decode(desk, id_, fields) for id_, fields in entries]
        try:
            await asyncio.to_thread(write, engine, cursor, events)
        except CursorMovedError:
            log.warning("another_recorder", extra={"cursor": cursor})
            cursor = await asyncio.to_thread(read_cursor, engine)
            continue
        cursor = events[-1].id
        await desk.redis.xtrim(keys.EVENTS, minid=cursor, approximate=True)


async def _read(desk: Desk, cursor: str) -> list[tuple[str, dict[bytes, bytes]]]:
    answer = await cast("Any", desk.redis.xread({keys.EVENTS: cursor}, count=BATCH, block=BLOCK_MS))
    streams = answer.values() if isinstance(answer, dict) else (entries for _, entries in answer or [])
    return [(id_.decode(), fields) for entries in streams for id_, fields in _flat(entries)]


def _flat(entries: Any) -> Any:
    """RESP3 wraps a stream's entries once more than RESP2."""
    return (
        entries[0]
        if entries and isinstance(entries[0], list) and entries[0] and isinstance(entries[0][0], list | tuple)
        else entries
    )


async def _decode(desk: Desk, id_: str, raw: Mapping[bytes, bytes]) -> Event:
    fields = {name.decode(): value.decode() for name, value in raw.items() if name != b"body"}
    kind, at = fields.pop("type"), datetime.fromtimestamp(int(fields.pop("at")) / 1000, UTC)
    recipient = mailbox = None
    if kind == "enqueued":
        recipient = await _recipient(desk, raw[b"body"], fields)
    if kind == "begun":
        connection = await desk.directory.connection(ConnectionId(fields["connection"]))
        mailbox = connection.mailbox if connection else None
    return Event(id_, kind, at, fields, recipient, mailbox)


async def _recipient(desk: Desk, body: bytes, fields: Mapping[str, str]) -> str | None:
    try:
        payload = await desk.directory.open(body, tenant=fields["tenant"], job=fields["job"])
    except SealBroken as broken:
        if broken.code == "vault_key_missing":
            raise  # the events wait in the stream until the key is back
        log.error("recipient_unreadable", extra={"job": fields["job"], "code": broken.code})  # noqa: TRY400 - no secrets in a traceback
        return None
    return str(json.loads(payload)["to"])


def read_cursor(engine: Engine) -> str:
    """The last event recorded; `0-0` before the first."""
    with engine.begin() as db:
        found = db.execute(select(tables.recorder.c.cursor)).scalar_one_or_none()
        if found is None:
            db.execute(insert(tables.recorder).values(id=1, cursor=START))
        return found or START


def write(engine: Engine, cursor: str, events: Sequence[Event]) -> None:
    """Write a batch whole; raises CursorMovedError if somebody else has recorded since `cursor`."""
    with engine.begin() as db:
        move = update(tables.recorder).where(tables.recorder.c.id == 1, tables.recorder.c.cursor == cursor)
        if db.execute(move.values(cursor=events[-1].id)).rowcount != 1:
            raise CursorMovedError
        _write_events(db, events)
        _write_deliveries(db, events)
        _write_attempts(db, events)


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
        db.execute(insert(tables.deliveries), new)
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
    if begun:
        db.execute(insert(tables.attempts), begun)
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


def _time(ms: str) -> datetime | None:
    return datetime.fromtimestamp(int(ms) / 1000, UTC) if ms else None
