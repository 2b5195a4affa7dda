"""The verifier: finds out whether a mail of unknown outcome went out after all.

It looks where the customer allows it.

One that is found was accepted. One that is not found proves something only long after its attempt
ended, since Gmail may still be at it, and when it was not found twice: then it never went out, and
is sent again without any doubt.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import uuid4

from redis.exceptions import RedisError, ResponseError

from certmail_config.base import redis_keys
from certmail_config.base.errors import SealBroken
from certmail_config.base.ids import ConnectionId, JobId
from certmail_config.base.redis_answers import afield_of, ahash_of, ascored_up_to, aserver_time
from certmail_config.google.token_errors import Denied
from certmail_config.ledger import spend
from certmail_config.stores.connect import wrong_type
from certmail_config.tenants.models import Connection
from certmail_worker.delivery.context import DeliveryContext
from certmail_worker.google.token_client import Purpose
from certmail_worker.health.progress import NoteProgress, no_notes
from certmail_worker.uncertain.pending_checks import Unsure, absent, found, next_look, read_unsure
from certmail_worker.uncertain.sent_folder import LookFailedError, SentBox, SentBoxes

log = logging.getLogger(__name__)

PAUSE_SECONDS: Final = 1.0
BATCH: Final = 200
MARGIN_SECONDS: Final = 120.0
"""How much older than the attempt's begin a message may look, clocks being what they are."""


async def verify(context: DeliveryContext, note_progress: NoteProgress = no_notes) -> None:
    """Look until cancelled; raises RedisError.

    A connection that no vault key opens holds up no other.
    """
    boxes = SentBoxes(context.gmail, context.meters)

    while True:
        now = await aserver_time(context.redis)
        for connection_id, unsure in (await _due(context, now)).items():
            await note_progress()

            try:
                connection = await context.directory.connection(connection_id)
                barred = [item.job for item in unsure if not _may_look(connection, item)]
                if barred:
                    await context.redis.zrem(redis_keys.UNSURE, *barred)

                wanted = [item for item in unsure if item.job not in barred]
                if connection is None or not wanted:
                    continue

                missing = await _look(context, connection, boxes.of(connection_id), wanted)
            except RedisError as error:
                if not wrong_type(error):
                    raise
                # Without the error's words, as below.
                log.error("connection_broken", extra={"connection": connection_id})  # noqa: TRY400
                await _schedule_next(context, unsure, now, failed=True)
            except (LookFailedError, SealBroken) as error:
                log.info("look_failed", extra={"connection": connection_id, "why": str(error)})
                await _schedule_next(context, unsure, now, failed=True)
            # One connection's answers must not end the looking for all.
            except Exception as error:  # noqa: BLE001
                # Only its name: its words may quote an answer.
                why = type(error).__name__
                log.error("look_failed", extra={"connection": connection_id, "why": why})  # noqa: TRY400
                await _schedule_next(context, unsure, now, failed=True)
            else:
                await _handle_absent(context, missing, now)

        await note_progress()
        await asyncio.sleep(PAUSE_SECONDS)


async def _due(context: DeliveryContext, now: float) -> Mapping[ConnectionId, list[Unsure]]:
    """The jobs to look for now, by connection.

    Not those of another mailbox than the connection has now.
    """
    result: dict[ConnectionId, list[Unsure]] = defaultdict(list)

    for raw in await ascored_up_to(context.redis, redis_keys.UNSURE, round(now * 1000), BATCH):
        job = JobId(raw.decode(errors="replace"))
        item = await _read(context, job)
        if item is None or await _mailbox(context, item.connection) != item.mailbox:
            await context.redis.zrem(redis_keys.UNSURE, raw)
            continue
        result[item.connection].append(item)

    return result


async def _read(context: DeliveryContext, job: JobId) -> Unsure | None:
    """The unknown attempts of a job.

    None where nothing is to be looked for, or what Redis holds of it cannot be read.
    """
    try:
        return read_unsure(job, await ahash_of(context.redis, redis_keys.JOB + job))
    except (KeyError, ValueError, ResponseError) as error:
        if isinstance(error, ResponseError) and not wrong_type(error):
            raise
        log.error("job_broken", extra={"job": job, "error": type(error).__name__})  # noqa: TRY400
        return None


def _may_look(connection: Connection | None, item: Unsure) -> bool:
    """Whether a job may be looked for in the mailbox of its connection.

    The customer must allow it, and the connection be the tenant's own.
    """
    return connection is not None and connection.verify and connection.tenant == item.tenant


async def _mailbox(context: DeliveryContext, connection: ConnectionId) -> str:
    """The mailbox that a connection has now; empty where that cannot be read."""
    try:
        found = await afield_of(context.redis, redis_keys.LANE_INFO + connection, "mailbox")
    except ResponseError as error:
        if not wrong_type(error):
            raise
        log.error("lane_broken", extra={"connection": connection})  # noqa: TRY400
        return ""

    return (found or b"").decode(errors="replace")


async def _look(
    context: DeliveryContext, connection: Connection, box: SentBox, unsure: Sequence[Unsure]
) -> list[Unsure]:
    """Read the sent mail once for all of a mailbox's jobs; settles those that are found.

    Gives the others. Raises LookFailedError if the mail was not read as far back as it had to be.
    """
    token = await context.tokens.get(connection, Purpose.LOOK)
    if isinstance(token, Denied):
        raise LookFailedError(token.code)

    async def pay(units: int) -> bool:
        return await context.ledger(spend(connection.id, units, nonce=uuid4().hex))

    wanted = {item.job: item for item in unsure}
    oldest = min(item.begun_at for item in unsure) - MARGIN_SECONDS

    try:
        async for sent in box.since(token.secret, oldest, pay):
            item = wanted.pop(JobId(sent.certmail_id or ""), None)
            if item is not None:
                state = await context.ledger(found(item, sent))
                log.info(
                    "verified",
                    extra={"job": item.job, "attempt": item.attempts[-1], "state": state},
                )
            if not wanted:
                break
    except LookFailedError as error:
        if error.status == 401:
            await context.tokens.drop(connection, token, Purpose.LOOK)
        raise

    return list(wanted.values())


async def _handle_absent(context: DeliveryContext, missing: Sequence[Unsure], now: float) -> None:
    """Confirm the absence of what was not found by a second look, then settle it."""
    for item in missing:
        if now - item.doubted_at < context.rules.verify:
            continue
        if not item.looked:
            await context.redis.hset(redis_keys.JOB + item.job, "looked", "1")
            continue

        for call in absent(item):
            state = await context.ledger(call)
        log.info(
            "verified_absent",
            extra={"job": item.job, "attempts": len(item.attempts), "state": state},
        )

    await _schedule_next(context, missing, now, failed=False)


async def _schedule_next(
    context: DeliveryContext, unsure: Sequence[Unsure], now: float, *, failed: bool
) -> None:
    """Set when to look again.

    What can be looked for no longer is left to the rule for unknown outcomes, or to a person.
    """
    for item in unsure:
        wait = next_look(now - item.doubted_at, context.rules.verify, failed=failed)

        if wait is None:
            log.warning("look_given_up", extra={"job": item.job})
            await context.redis.zrem(redis_keys.UNSURE, item.job)
        else:
            # Only while nobody knows: what is settled meanwhile is no longer there.
            await context.redis.zadd(
                redis_keys.UNSURE, {item.job: round((now + wait) * 1000)}, xx=True
            )
