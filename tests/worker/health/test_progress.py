"""Services note that they get on, and the log says which does not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from certmail_config.base import redis_keys
from certmail_config.ledger import advertise, run
from certmail_config.status.stalls import Standstill
from certmail_config.stores.connect import connect_async
from certmail_worker.health.clock_skew import ClockSkew
from certmail_worker.health.progress import LOOK_SECONDS, REPEAT_SECONDS, ServiceProgress

SINCE = datetime(2026, 11, 26, 9, tzinfo=UTC)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def client(redis: Redis, redis_url: str) -> AsyncIterator[AsyncRedis]:
    assert redis.dbsize() == 0
    async with connect_async(redis_url) as made:
        yield made


async def test_a_service_writes_at_most_every_two_seconds_however_often_it_gets_on(
    client: AsyncRedis, redis: Redis, clock: Clock
) -> None:
    note_progress = ServiceProgress(client, monotonic=clock).of("pacer")
    for _ in range(100):
        await note_progress()
    first: Any = redis.hget(redis_keys.PROGRESS, "pacer")
    at, until = (int(part) for part in first.decode().split("|"))
    assert until - at == 60_000

    await note_progress()
    assert redis.hget(redis_keys.PROGRESS, "pacer") == first
    clock.now += 2.1
    while server_ms(redis) <= at:
        pass  # what is noted in the same millisecond looks the same
    await note_progress()
    assert redis.hget(redis_keys.PROGRESS, "pacer") != first


def server_ms(redis: Redis) -> int:
    seconds, microseconds = redis.time()
    return seconds * 1000 + microseconds // 1000


async def test_what_a_try_failed_with_stands_until_it_gets_on_again(
    client: AsyncRedis, redis: Redis, clock: Clock
) -> None:
    progress = ServiceProgress(client, monotonic=clock)
    note_progress = progress.of("recorder")
    await note_progress()
    await progress.failed("recorder", "KeyError")
    assert redis.hget(redis_keys.PROGRESS, "recorder:why") == b"KeyError"

    await note_progress()
    assert redis.hget(redis_keys.PROGRESS, "recorder:why") is None, (
        "at once, though it noted something just before"
    )


async def test_a_keeper_that_begins_is_not_blamed_for_the_time_before(
    client: AsyncRedis, redis: Redis, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    run(redis, advertise("w", 10, seconds=60))
    redis.hset(redis_keys.PROGRESS, "pacer", "1|2")
    progress = ServiceProgress(client, monotonic=clock)
    progress.of("pacer")
    await progress.begin(["pacer"])
    await progress.watch(keeper=True)
    assert not caplog.records


async def test_the_log_says_what_stands_still_and_when_it_goes_on(
    client: AsyncRedis, redis: Redis, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    run(redis, advertise("w", 10, seconds=60))
    redis.hset(redis_keys.PROGRESS, "pacer", "1|2")
    progress = ServiceProgress(client, monotonic=clock)

    for _ in range(5):
        await progress.watch(keeper=True)
        clock.now += LOOK_SECONDS

    [said] = caplog.records
    assert (said.message, said.levelname, said.__dict__["service"]) == (
        "standstill",
        "ERROR",
        "pacer",
    )
    assert said.__dict__["remedy"]
    await progress.of("pacer")()
    await progress.watch(keeper=True)
    assert [record.message for record in caplog.records] == ["standstill", "goes_on"]


async def test_a_clock_that_is_off_is_noted_and_taken_back(
    client: AsyncRedis, redis: Redis, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    run(redis, advertise("w", 10, seconds=60))
    google = datetime(2026, 11, 26, 9, tzinfo=UTC)
    skew = ClockSkew(wall=lambda: google.timestamp() + 1200, monotonic=clock)
    progress = ServiceProgress(client, "w", skew, monotonic=clock)

    for date in (None, "", "soon", "Thu, 99 Nov 2026 09:00:00 GMT"):
        skew.observe(date)
        clock.now += 2

    assert skew.seconds is None
    skew.observe("Thu, 26 Nov 2026 09:00:00 GMT")
    await progress.watch(keeper=True)
    [said] = caplog.records
    assert "The clock of the worker w is 20 minutes ahead of Google's" in said.__dict__["error"]
    clock.now += LOOK_SECONDS
    skew.observe("Thu, 26 Nov 2026 09:19:30 GMT")
    await progress.watch(keeper=True)
    assert redis.hget(redis_keys.PROGRESS, "clock:w") is None


def test_it_is_said_again_every_few_minutes(
    redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    progress = ServiceProgress(connect_async(redis_url))
    still = [Standstill("pacer", SINCE, "It stands.", "Mend it.")]
    for now in (0.0, 1.0, REPEAT_SECONDS - 1, REPEAT_SECONDS, REPEAT_SECONDS + 1):
        progress.tell(still, now)
    assert len(caplog.records) == 2
