"""The sampler counts what waits in every lane, some lanes at a time, and notes it for metrics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId
from certmail_config.ledger import Lane, open_lane, run, set_lane
from certmail_config.status.monitoring.samples import LEDGER, Sample, read_sample
from certmail_config.stores.connect import connect_async
from certmail_worker.delivery.context import DeliveryContext
from certmail_worker.services.sampler import LANES, TENANTS, sample_lanes

MANY = max(LANES, TENANTS) * 2 + 3


@pytest.fixture
async def context(redis_url: str) -> AsyncIterator[DeliveryContext]:
    client = connect_async(redis_url)
    nothing = cast("Any", None)
    yield DeliveryContext("w", client, nothing, nothing, nothing, nothing, 45, 5)
    await client.aclose()


def tenant(redis: Redis, name: str, ready: int) -> None:
    """A tenant with one open lane, in which so many wait."""
    lane = ConnectionId(f"c-{name}")
    redis.sadd(redis_keys.TENANTS, name)
    redis.hset(redis_keys.TENANT + name, "connection:default", lane)
    given = Lane(lane, name, f"m-{name}", 6000, 4, 1, project="p")
    run(redis, set_lane(given, code="draft", message="new"))
    run(redis, open_lane(lane, 1))
    redis.zadd(redis_keys.LANE + lane, {f"{name}-{n}": 5e13 + n for n in range(ready)})


async def counted(redis: Redis, context: DeliveryContext, named: int) -> Sample:
    """The first count of a sampler that begins now."""
    sampling = asyncio.create_task(sample_lanes(context, named))
    try:
        while not (text := cast("Any", redis.hget(redis_keys.SAMPLE, LEDGER))):
            await asyncio.sleep(0.01)
            assert not sampling.done(), sampling
    finally:
        sampling.cancel()
    found = read_sample(LEDGER, text)
    assert found is not None
    return found


async def test_every_lane_is_counted_however_many_there_are(
    redis: Redis, context: DeliveryContext
) -> None:
    for n in range(MANY):
        tenant(redis, f"t{n}", 1 if n else 7)
    found = (await counted(redis, context, named=1)).values
    assert found["certmail_jobs_waiting"] == {
        ("t0", "ready"): 7, ("t0", "scheduled"): 0,
        ("other", "ready"): MANY - 1, ("other", "scheduled"): 0,
    }  # fmt: skip
    assert found["certmail_jobs_ready"]["open",] == MANY + 6


async def test_without_tenants_it_is_counted_that_nothing_waits(
    redis: Redis, context: DeliveryContext
) -> None:
    found = (await counted(redis, context, named=5)).values
    assert found["certmail_jobs_waiting"] == {("other", "ready"): 0, ("other", "scheduled"): 0}


async def test_a_tenant_that_somebody_has_altered_hides_no_other(
    redis: Redis, context: DeliveryContext
) -> None:
    tenant(redis, "acme", 2)
    for name, lane in (("a", b"\xff\xfe"), ("b", "nobody")):
        redis.sadd(redis_keys.TENANTS, name)
        redis.hset(redis_keys.TENANT + name, "connection:default", lane)
    redis.sadd(redis_keys.TENANTS, "c", b"\xff", "x" * 1_000_000)
    redis.set(redis_keys.TENANT + "c", "not ours")
    found = (await counted(redis, context, named=5)).values
    assert found["certmail_jobs_waiting"]["acme", "ready"] == 2
