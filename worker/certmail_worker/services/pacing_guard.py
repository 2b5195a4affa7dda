"""The pacer's guard: what forbids letting anything leave, though the ledger would.

While the server is full, what is under way is settled in the room that is left. While replicas are
missing that must confirm each begin, a request would be given up each time; better that it is not
tried.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import OutOfMemoryError
from redis.typing import EncodableT, FieldT

from certmail_config.base import redis_keys
from certmail_config.base.errors import StoresUnreachable
from certmail_config.base.redis_answers import afield_of
from certmail_config.stores.capacity import (
    CODES,
    LOOK_SECONDS,
    PACING_SHARE,
    Figures,
    Full,
    StoreLimits,
    ask,
    read_figures,
    room,
)

log = logging.getLogger(__name__)

REPLICAS_MISSING = "replicas_missing"


class Guard:
    """Looks at most once a second for what forbids pacing.

    Says so in the log and in Redis, and takes it back.
    """

    def __init__(
        self,
        redis: AsyncRedis,
        limits: StoreLimits,
        *,
        replicas: int = 0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._limits = limits
        self._replicas = replicas
        self._monotonic = monotonic
        self._look_at = 0.0
        self._found: Full | None = None

    async def forbids(self) -> bool:
        """Whether nothing may be leased now; raises RedisError."""
        if self._monotonic() >= self._look_at:
            async with self._redis.pipeline(transaction=False) as pipe:
                ask(pipe)
                figures = read_figures(await pipe.execute())
            await self._report(
                room(figures, self._limits, PACING_SHARE) or _missing(figures, self._replicas)
            )
            self._look_at = self._monotonic() + LOOK_SECONDS
        return self._found is not None

    async def _report(self, found: Full | None) -> None:
        known, self._found = self._found, found

        if found is None:
            # Another keeper may have stopped it; what stopped it for another reason stays.
            code = await afield_of(self._redis, redis_keys.STOPPED, "code")
            if code is not None and code.decode() in {*CODES, REPLICAS_MISSING}:
                await self._redis.delete(redis_keys.STOPPED)
                log.info("pacing_goes_on", extra={"code": code.decode()})
            return

        if known is None or known.code != found.code:
            log.error("pacing_stopped", extra=_log_fields(found))
        with suppress(OutOfMemoryError):  # the log has said it
            await self._redis.hset(redis_keys.STOPPED, mapping=_redis_fields(found))


def _missing(figures: Figures, replicas: int) -> Full | None:
    if figures.online >= replicas:
        return None

    message = (
        f"{figures.online} of the {replicas} replicas of Redis are attached "
        "that must confirm each send."
    )
    return Full(
        REPLICAS_MISSING,
        message,
        "Bring them back, or change CERTMAIL_DURABILITY and restart the workers.",
    )


def say_stopped(redis: Redis, why: StoresUnreachable) -> None:
    """Say why pacing stands still: in the log for the operator, in Redis for whoever asks.

    Raises RedisError.
    """
    log.error("pacing_stopped", extra=_log_fields(why))
    redis.hset(redis_keys.STOPPED, mapping=_redis_fields(why))


def _redis_fields(why: Full | StoresUnreachable) -> dict[FieldT, EncodableT]:
    return {"code": why.code, "message": why.message, "remedy": why.remedy}


def _log_fields(why: Full | StoresUnreachable) -> dict[str, str]:
    # A log record has a `message` of its own.
    return {"code": why.code, "error": why.message, "remedy": why.remedy}
