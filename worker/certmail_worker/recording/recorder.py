"""The recorder: from the ledger's event stream to SQL, each event exactly once.

What is recorded may be trimmed: the stream is cut just before the cursor's own event, whose
presence proves that the stream is the one that was recorded (writer.py says how it is written).
"""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from certmail_config.base import redis_keys
from certmail_config.base.errors import StoresUnreachable
from certmail_config.base.redis_answers import aserver_time, avalue_of
from certmail_config.metrics.instruments import WorkerMeters
from certmail_worker.google.tenant_cache import Directory
from certmail_worker.health.progress import NoteProgress, no_notes
from certmail_worker.recording.decoding import decode
from certmail_worker.recording.outage_log import OutageLog
from certmail_worker.recording.senders import Senders
from certmail_worker.recording.writer import (
    START,
    CursorMovedError,
    note_seen,
    read_cursor,
    read_position,
    write_all,
)

log = logging.getLogger(__name__)

BATCH = 500
BLOCK_MS = 2000
GATHER_SECONDS = 0.25
"""The pause after a batch that was not full: many events cost hardly more than a few."""
UNCHECKED_PAUSE = 0.2
RETRY_SECONDS = 1.0
SEEN_SECONDS = 10.0
"""How often it is noted that nothing happened: a repair has to hold what could have left since."""


async def record(
    redis: Redis,
    directory: Directory,
    engine: Engine,
    note_progress: NoteProgress = no_notes,
    meters: WorkerMeters | None = None,
) -> None:
    """Record until cancelled, however long the database is away.

    Raises RedisError, SealBroken when the vault lacks a key, CursorLostError.
    """
    outage, senders = OutageLog(), Senders(redis, directory)
    meters = meters or WorkerMeters()

    while True:
        try:
            await _record(redis, directory, senders, engine, outage, note_progress, meters)
        except SQLAlchemyError as error:
            await outage.waits(redis, error)
            await asyncio.sleep(RETRY_SECONDS)


async def _record(
    redis: Redis,
    directory: Directory,
    senders: Senders,
    engine: Engine,
    outage: OutageLog,
    note_progress: NoteProgress,
    meters: WorkerMeters,
) -> None:
    cursor, seen = await _own_cursor(redis, engine), 0.0
    outage.over()

    while True:
        try:
            entries = await _read(redis, cursor)
        except CursorLostError:
            newer = await asyncio.to_thread(read_cursor, engine)
            if newer == cursor:
                # Pacing must not go on either, before somebody has looked.
                await redis.delete(redis_keys.CHECKED_RUN)
                raise

            cursor = newer  # another recorder has gone on, and trimmed behind itself
            continue

        if not entries:
            await note_progress()
            if time.monotonic() > seen + SEEN_SECONDS:
                await asyncio.to_thread(note_seen, engine, cursor, await _server_time(redis))
                seen = time.monotonic()
            continue

        decoded = await decode(directory, senders, entries)
        began = time.monotonic()
        try:
            cursor = await asyncio.to_thread(write_all, engine, cursor, decoded, dict(entries))
        except CursorMovedError:
            log.warning("another_recorder", extra={"cursor": cursor})
            cursor = await asyncio.to_thread(read_cursor, engine)
            continue

        meters.batches.note(time.monotonic() - began)
        meters.recorded.add(by=len(entries))
        await _trim(redis, cursor)
        await note_progress()
        if len(entries) < BATCH:
            await asyncio.sleep(GATHER_SECONDS)


async def _own_cursor(redis: Redis, engine: Engine) -> str:
    """The record's cursor, once it was checked that the record belongs to this ledger.

    consistency.py checks it.
    """
    while True:
        position = await asyncio.to_thread(read_position, engine)
        epoch = await avalue_of(redis, redis_keys.EPOCH)
        if epoch is not None and epoch.decode() == position.epoch:
            return position.cursor
        await asyncio.sleep(UNCHECKED_PAUSE)


class CursorLostError(StoresUnreachable):
    """The stream lacks the last event that was recorded: it is not the stream that was recorded."""

    def __init__(self, cursor: str) -> None:
        super().__init__(
            "cursor_lost",
            f"Redis lacks the event {cursor}, which was recorded last: it was restored or emptied. Nothing is sent or recorded.",
            "Run `certmail doctor --repair`: it shows what the record knows, and what it would do.",
        )


async def _read(redis: Redis, cursor: str) -> list[tuple[str, dict[bytes, bytes]]]:
    """The entries after the cursor's own event; raises CursorLostError if that is missing."""
    if cursor != START:
        found = _entries(await redis.xrange(redis_keys.EVENTS, min=cursor, count=BATCH + 1))
        if not found or found[0][0] != cursor:
            raise CursorLostError(cursor)
        if len(found) > 1:
            return found[1:]

    answer = await redis.xread({redis_keys.EVENTS: cursor}, count=BATCH, block=BLOCK_MS)
    streams = (
        answer.values() if isinstance(answer, dict) else (entries for _, entries in answer or [])
    )
    return [entry for entries in streams for entry in _entries(_flat(entries))]


def _entries(raw: Any) -> list[tuple[str, dict[bytes, bytes]]]:
    return [(id_.decode(), fields) for id_, fields in raw]


async def _trim(redis: Redis, cursor: str) -> None:
    """Cut the stream just before the cursor's own event.

    And note in Redis how far the record is.
    """
    async with redis.pipeline(transaction=False) as pipe:
        pipe.set(redis_keys.RECORDED, cursor)  # type: ignore[unused-awaitable]  # queued
        # Queued, as above.
        pipe.xtrim(redis_keys.EVENTS, minid=cursor, approximate=True)  # type: ignore[unused-awaitable]
        await pipe.execute()


async def _server_time(redis: Redis) -> datetime:
    return datetime.fromtimestamp(await aserver_time(redis), UTC)


def _flat(entries: Any) -> Any:
    """RESP3 wraps a stream's entries once more than RESP2."""
    first = entries[0] if entries else None
    wrapped = isinstance(first, list) and first and isinstance(first[0], list | tuple)
    return first if wrapped else entries
