"""The verifier: finds out, where the customer allows it, whether a mail of unknown outcome went out after all.

It only ever proves that one did. That none was found proves nothing here: Gmail may still be at it.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

from certmail_config import keys
from certmail_config.connections import Connection
from certmail_config.ids import ConnectionId, JobId
from certmail_config.ledger import settle, spend
from certmail_config.states import AttemptOutcome, State
from certmail_config.token_errors import Denied
from certmail_worker.desk import Desk
from certmail_worker.minter import Purpose
from certmail_worker.sent import LookFailedError, Sent, SentBox

log = logging.getLogger(__name__)

PAUSE_SECONDS = 0.5
MOST = 200
MARGIN_SECONDS = 120.0
"""How much older than the attempt's begin a message may look, clocks being what they are."""
GIVE_UP_SECONDS = 600.0
"""How long after the attempt somebody still looks."""


@dataclass(frozen=True, slots=True)
class Unsure:
    """A job whose last attempt's outcome is unknown; times are seconds on the ledger's clock."""

    job: JobId
    attempt: int
    begun_at: float


async def verify(desk: Desk) -> None:
    """Look until cancelled; raises RedisError, SealBroken."""
    boxes: dict[ConnectionId, SentBox] = defaultdict(lambda: SentBox(desk.gmail))
    while True:
        now = await _server_time(desk)
        for connection_id, unsure in (await _due(desk, now)).items():
            connection = await desk.directory.connection(connection_id)
            if connection is None or not connection.verify:
                await desk.redis.zrem(keys.UNSURE, *(item.job for item in unsure))
                continue
            try:
                await _look(desk, connection, boxes[connection_id], unsure)
            except LookFailedError as error:
                log.info("look_failed", extra={"connection": connection_id, "why": str(error)})
            await _later(desk, unsure, now)
        await asyncio.sleep(PAUSE_SECONDS)


async def _due(desk: Desk, now: float) -> Mapping[ConnectionId, list[Unsure]]:
    """The jobs to look for now, by connection."""
    found: dict[ConnectionId, list[Unsure]] = defaultdict(list)
    for raw in await desk.redis.zrangebyscore(keys.UNSURE, "-inf", round(now * 1000), start=0, num=MOST):
        job = JobId(cast("bytes", raw).decode())
        values = await cast("Any", desk.redis.hmget(keys.JOB + job, "connection", "attempt", "begun_at"))
        if any(value is None for value in values):
            await desk.redis.zrem(keys.UNSURE, job)
            continue
        connection, attempt, begun_at = (value.decode() for value in values)
        found[ConnectionId(connection)].append(Unsure(job, int(attempt), int(begun_at) / 1000))
    return found


async def _look(desk: Desk, connection: Connection, box: SentBox, unsure: list[Unsure]) -> None:
    """Read the sent mail once for all of a mailbox's jobs; settles each that is found."""
    token = await desk.tokens.get(connection, Purpose.LOOK)
    if isinstance(token, Denied):
        raise LookFailedError(token.code)

    async def pay(units: int) -> bool:
        return await desk.ledger(spend(connection.id, units, nonce=uuid4().hex))

    wanted = {item.job: item for item in unsure}
    oldest = min(item.begun_at for item in unsure) - MARGIN_SECONDS
    async for sent in box.since(token.secret, oldest, pay):
        item = wanted.pop(JobId(sent.certmail_id or ""), None)
        if item is not None:
            state = await desk.ledger(_found(item, sent))
            log.info("verified", extra={"job": item.job, "attempt": item.attempt, "state": state})
        if not wanted:
            return


def _found(item: Unsure, sent: Sent) -> Any:
    detail = {
        "outcome": AttemptOutcome.ACCEPTED,
        "ended_at": datetime.fromtimestamp(sent.at, UTC).isoformat(timespec="milliseconds"),
        "gmail_id": sent.message,
        "gmail_thread_id": sent.thread,
        "verified": True,
    }
    reason = "verified: its answer was lost, but Gmail lists it among the sent mails"
    return settle(
        item.job,
        item.attempt,
        outcome=AttemptOutcome.ACCEPTED,
        detail=json.dumps(detail),
        to=State.ACCEPTED,
        reason=reason,
    )


async def _later(desk: Desk, unsure: list[Unsure], now: float) -> None:
    """Look again for those not found: soon at first, then less often, and no more after ten minutes."""
    for item in unsure:
        age = now - item.begun_at
        if age > GIVE_UP_SECONDS:
            await desk.redis.zrem(keys.UNSURE, item.job)
        else:
            again = now + min(max(2.0, age * 2), 60.0)
            await desk.redis.zadd(keys.UNSURE, {item.job: round(again * 1000)}, xx=True)


async def _server_time(desk: Desk) -> float:
    seconds, micros = await cast("Any", desk.redis.time())
    return float(seconds) + float(micros) / 1e6
