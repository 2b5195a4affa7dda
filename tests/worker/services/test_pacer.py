"""The pacer is woken by what may leave, and looks by itself where nobody can wake it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.base.ids import JobId
from certmail_config.stores.capacity import StoreLimits
from certmail_worker.services.pacer import pace
from support.deployment.deployment import wait_for
from support.deployment.one_tenant import OneTenant, one_tenant
from support.machine.clocked_ledger import ClockedLedger

NEVER = 3600.0
"""Longer than any test: a pacer that looks by itself after that has been woken."""


@asynccontextmanager
async def pacing(setup: OneTenant, look_seconds: float) -> AsyncIterator[asyncio.Queue[JobId]]:
    """A pacer at work; gives the doorbells that it rings."""
    rung: asyncio.Queue[JobId] = asyncio.Queue()

    async def ring(jobs: Sequence[JobId]) -> None:
        for job in jobs:
            rung.put_nowait(job)

    pacer = asyncio.create_task(
        pace(setup.context(), ring, lambda: True, StoreLimits(), look_seconds=look_seconds)
    )
    try:
        yield rung
    finally:
        pacer.cancel()
        await asyncio.wait([pacer])


async def next_of(rung: asyncio.Queue[JobId]) -> JobId:
    async with asyncio.timeout(30):
        return await rung.get()


async def test_what_is_enqueued_wakes_it(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    ledger = ClockedLedger(redis)
    async with one_tenant(tmp_path, redis_url) as setup:
        ledger.lane("b")
        async with pacing(setup, NEVER) as rung:
            for job, lane in (("first", "a"), ("second", "b")):
                await asyncio.to_thread(ledger.enqueue, job, lane=lane)
                assert await next_of(rung) == job


async def test_it_is_woken_once_by_all_that_comes_before_it_looks(redis: Redis) -> None:
    ledger = ClockedLedger(redis)
    for lane in ("a", "b", "c"):
        ledger.lane(lane)
        ledger.fill(lane, 10)
    assert redis.llen(redis_keys.PACER_WOKEN) == 1


async def test_what_waits_for_a_request_to_end_wakes_it_then(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    ledger = ClockedLedger(redis)
    async with one_tenant(tmp_path, redis_url) as setup:
        ledger.lane("a", in_flight=1)
        ledger.fill("a", 2)
        async with pacing(setup, NEVER) as rung:
            first = ledger.claim(await next_of(rung))
            ledger.begin(first)
            ledger.now += 2
            # Its mailbox has no second place: the pacer finds that out, and waits.
            redis.lpush(redis_keys.PACER_WOKEN, "")
            await asyncio.to_thread(
                wait_for, "it to look", lambda: redis.exists(redis_keys.BLOCKED + "m-a") == 1
            )
            await asyncio.to_thread(ledger.settle, first.id)
            assert await next_of(rung) == "a1"


async def test_where_its_wake_up_is_something_else_it_looks_by_itself(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    """Somebody wrote there: reminders come in and leave all the same."""
    ledger = ClockedLedger(redis)
    async with one_tenant(tmp_path, redis_url) as setup:
        redis.set(redis_keys.PACER_WOKEN, "something else")
        async with pacing(setup, 0.05) as rung:
            assert (await asyncio.to_thread(ledger.enqueue, "job")).code == "enqueued"
            assert await next_of(rung) == "job"
