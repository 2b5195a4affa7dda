"""The keeper and the server's clock: one that leapt stops pacing, says so, and is taken back when it is right again."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from redis import Redis

from certmail_config.base import redis_keys
from certmail_worker.health.progress import ServiceProgress
from certmail_worker.services.keeper import Keeper
from support.deployment.deployment import wait_for
from support.deployment.one_tenant import one_tenant

MONTH = 30 * 86_400.0


def code(redis: Redis) -> bytes | None:
    """Why pacing is stopped, if it is."""
    found = redis.hget(redis_keys.STOPPED, "code")
    return found if isinstance(found, bytes) else None


async def test_a_clock_that_this_machine_does_not_confirm_stops_pacing_until_it_is_right_again(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    async with one_tenant(tmp_path, redis_url) as setup:
        context = setup.context()
        noted = round((time.time() - MONTH) * 1000)
        redis.set(redis_keys.CLOCK, noted)
        behind = Keeper(
            context, 1, {}, ServiceProgress(setup.redis, "w"), wall=lambda: time.time() - MONTH
        )

        behind.start()
        await asyncio.to_thread(wait_for, "pacing to stop", lambda: code(redis) == b"clock_leapt")
        message = redis.hget(redis_keys.STOPPED, "message")
        assert b"leapt ahead" in (message or b"")
        assert int(redis.get(redis_keys.CLOCK) or 0) == noted, "it was not taken over"

        redis.set(redis_keys.CLOCK, round(time.time() * 1000))
        await asyncio.to_thread(wait_for, "pacing to go on", lambda: code(redis) is None)
        await behind.quiet()
