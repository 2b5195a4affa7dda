"""Lineage: whether this Redis and its record belong together.

Redis may hold what SQL has recorded, or have been restored from an older copy, wiped, or be another
one.

Ids cannot tell, since new events are always later. The recorder leaves the last event that it
recorded in the stream: where that event is missing, the stream is not the one that was recorded,
and what was sent since would be sent again. It is checked whenever the server's run changes, and
nothing is paced before.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import uuid4

from redis import Redis
from sqlalchemy import Engine

from certmail_config.base import redis_keys
from certmail_config.base.redis_answers import value_of, values_of
from certmail_worker.recording.writer import START, RecordPosition, read_position, write_position

log = logging.getLogger(__name__)


class Lineage(StrEnum):
    """How the ledger and its record belong together."""

    SAME = "same"
    """The ledger goes on where the record ends."""
    NEW = "new"
    """Nothing was recorded yet."""
    ROLLED_BACK = "rolled_back"
    """Redis is older than the record.

    It was restored from a backup, or failed over to a replica that lagged.
    """
    REPLACED = "replaced"
    """Redis is empty, but the record is not."""
    FOREIGN = "foreign"
    """Redis and SQL belong to different deployments."""
    RECORD_BEHIND = "record_behind"
    """SQL is older than Redis: restored from a backup, or replaced."""


LINEAGE_ERRORS: Final[dict[Lineage, tuple[str, str]]] = {
    Lineage.ROLLED_BACK: (
        "Redis is older than the record, by a restore or a failover. What left since would be sent again, so nothing is sent.",
        "Run `certmail doctor --repair`: it shows what it would do first.",
    ),
    Lineage.REPLACED: (
        "Redis is empty, but reminders were recorded: its data is gone, or CERTMAIL_REDIS_URL names another server. Nothing is sent.",
        "Put its data back (docs/restoring.md) or correct CERTMAIL_REDIS_URL; if there is no copy, run `certmail doctor --repair`.",
    ),
    Lineage.FOREIGN: (
        "Redis and the database belong to different deployments. Nothing is sent.",
        "Correct CERTMAIL_REDIS_URL or CERTMAIL_DATABASE_URL.",
    ),
    Lineage.RECORD_BEHIND: (
        "The database is older than Redis: it was restored from a backup, or is another one. Nothing is sent, as nothing could be recorded.",
        "Restore a newer copy of the database, or correct CERTMAIL_DATABASE_URL. If there is none: `certmail doctor --repair`.",
    ),
}
"""What is wrong, and what to do."""


@dataclass(frozen=True, slots=True)
class Traces:
    """What both stores show of their lineage.

    `recorded` is what Redis believes to be in SQL, `has_cursor` whether its stream holds SQL's last
    event.
    """

    position: RecordPosition
    epoch: str | None
    recorded: str | None
    has_cursor: bool
    went_back: bool = False
    """A worker that lived through it saw the ledger's time before what it had been."""


def assess(traces: Traces) -> Lineage:
    """Decide from the traces; pure."""
    position = traces.position
    if position.epoch and traces.epoch and position.epoch != traces.epoch:
        return Lineage.FOREIGN

    behind = traces.recorded is not None and order(traces.recorded) > order(position.cursor)
    if position.cursor == START:
        return Lineage.RECORD_BEHIND if behind else Lineage.NEW
    if traces.has_cursor and traces.epoch:
        return Lineage.ROLLED_BACK if traces.went_back else Lineage.SAME
    if traces.epoch is None:
        return Lineage.REPLACED

    return Lineage.RECORD_BEHIND if behind else Lineage.ROLLED_BACK


def order(event: str) -> tuple[int, int]:
    """A stream id, comparable."""
    ms, _, n = event.partition("-")
    return int(ms), int(n)


def read_traces(redis: Redis, engine: Engine) -> Traces:
    """Read the traces in both stores; raises RedisError, SQLAlchemyError.

    A recorder at work moves the cursor and cuts the stream behind it. Held against a cursor from
    before, its stream would look like that of another ledger: what was read in Redis counts only
    if the record stood still meanwhile.
    """
    position = read_position(engine)

    while True:
        traces = _traces_beside(position, redis)
        now = read_position(engine)
        if (now.cursor, now.epoch) == (position.cursor, position.epoch):
            return traces
        position = now


def _traces_beside(position: RecordPosition, redis: Redis) -> Traces:
    epoch, recorded, back = values_of(
        redis, [redis_keys.EPOCH, redis_keys.RECORDED, redis_keys.WENT_BACK]
    )
    cursor = position.cursor
    held = cursor != START and redis.xrange(redis_keys.EVENTS, min=cursor, max=cursor)

    return Traces(
        position,
        epoch.decode() if epoch else None,
        recorded.decode() if recorded else None,
        has_cursor=bool(held),
        went_back=back is not None,
    )


def check(redis: Redis, engine: Engine) -> bool:
    """Let pacing go on if the lineage is right, else say why not.

    Raises RedisError, SQLAlchemyError.
    """
    # First: should the server restart meanwhile, its next run is unchecked still.
    run = run_id(redis)
    traces = read_traces(redis, engine)
    lineage = assess(traces)
    if lineage not in LINEAGE_ERRORS:
        confirm_consistency(redis, engine, traces, run)
        return True

    message, remedy = LINEAGE_ERRORS[lineage]
    log.error("pacing_stopped", extra={"code": lineage, "error": message, "remedy": remedy})
    redis.hset(
        redis_keys.STOPPED, mapping={"code": str(lineage), "message": message, "remedy": remedy}
    )
    redis.hsetnx(redis_keys.STOPPED, "at", str(round(time.time() * 1000)))

    return False


def confirm_consistency(redis: Redis, engine: Engine, traces: Traces, run: str) -> None:
    """Let this run of the server be paced; both stores carry the same epoch then."""
    position = traces.position

    # Of two that do this at the very first start, one names the epoch.
    redis.set(redis_keys.EPOCH, traces.epoch or position.epoch or str(uuid4()), nx=True)
    named = value_of(redis, redis_keys.EPOCH)
    assert named is not None, "it was set above, and nobody takes it away"
    epoch = named.decode()
    if position.epoch != epoch:
        write_position(engine, position, RecordPosition(position.cursor, epoch, position.seen_at))

    redis.delete(redis_keys.STOPPED, redis_keys.WENT_BACK, redis_keys.HELD_BACK)
    redis.set(redis_keys.CHECKED_RUN, run)


def run_id(redis: Redis) -> str:
    """The name that the server gave to its present run."""
    return str(redis.info("server")["run_id"])
