"""The pacer's guard stops pacing in time, and says why with figures.

It takes back only what it said itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from certmail_config.base import redis_keys
from certmail_config.stores.capacity import StoreLimits
from certmail_config.stores.connect import connect_async
from certmail_worker.services.pacing_guard import Guard


@pytest.fixture
async def aredis(redis: Redis, redis_url: str) -> AsyncIterator[AsyncRedis]:
    """The emptied server, for coroutines."""
    async with connect_async(redis_url) as client:
        yield client


def fill(redis: Redis, count: int) -> None:
    redis.delete(redis_keys.EVENTS)
    for _ in range(count):
        redis.xadd(redis_keys.EVENTS, {"a": "b"})


def code(redis: Redis) -> Any:
    return redis.hget(redis_keys.STOPPED, "code")


async def test_with_room_and_nothing_else_asked_it_forbids_nothing(
    redis: Redis, aredis: AsyncRedis
) -> None:
    assert not await Guard(aredis, StoreLimits()).forbids()
    assert not redis.exists(redis_keys.STOPPED)


async def test_a_full_stream_stops_pacing_until_it_is_empty_again(
    redis: Redis, aredis: AsyncRedis, caplog: pytest.LogCaptureFixture
) -> None:
    guard = Guard(aredis, StoreLimits(events_max=100), monotonic=iter(range(100)).__next__)
    fill(redis, 85)
    assert [await guard.forbids() for _ in range(3)] == [True] * 3

    stopped: Any = redis.hgetall(redis_keys.STOPPED)
    assert stopped[b"code"] == b"stream_full"
    assert b"85 events" in stopped[b"message"]
    assert stopped[b"remedy"]
    assert [record.getMessage() for record in caplog.records] == ["pacing_stopped"], "said once"

    fill(redis, 84)
    assert not await guard.forbids()
    assert not redis.exists(redis_keys.STOPPED)


async def test_a_full_memory_does_too(redis: Redis, aredis: AsyncRedis) -> None:
    assert await Guard(aredis, StoreLimits(memory_max=1024)).forbids()
    assert code(redis) == b"redis_full"


@pytest.mark.parametrize(("share", "forbidden"), [(0.9, False), (0.97, True)])
async def test_memory_that_only_enqueue_must_spare_does_not_stop_pacing(
    redis: Redis, aredis: AsyncRedis, share: float, forbidden: bool
) -> None:
    """Settling frees memory, so that pacing goes on for a while after enqueue has stopped."""
    facts: Any = redis.info("memory")
    assert (
        await Guard(aredis, StoreLimits(memory_max=int(facts["used_memory"] / share))).forbids()
        is forbidden
    )


async def test_so_do_replicas_that_are_not_there(redis: Redis, aredis: AsyncRedis) -> None:
    assert await Guard(aredis, StoreLimits(), replicas=1).forbids()
    assert code(redis) == b"replicas_missing"
    assert not await Guard(aredis, StoreLimits()).forbids()


async def test_it_looks_once_a_second(redis: Redis, aredis: AsyncRedis) -> None:
    now = [0.0]
    guard = Guard(aredis, StoreLimits(events_max=100), monotonic=lambda: now[0])
    assert not await guard.forbids()
    fill(redis, 90)
    now[0] = 0.9
    assert not await guard.forbids()
    now[0] = 1.0
    assert await guard.forbids()


async def test_what_another_keeper_said_is_taken_back_but_not_what_stopped_it_for_another_reason(
    redis: Redis, aredis: AsyncRedis
) -> None:
    redis.hset(redis_keys.STOPPED, "code", "stream_full")
    assert not await Guard(aredis, StoreLimits()).forbids()
    assert not redis.exists(redis_keys.STOPPED)
    redis.hset(redis_keys.STOPPED, "code", "rolled_back")
    assert not await Guard(aredis, StoreLimits()).forbids()
    assert code(redis) == b"rolled_back"
