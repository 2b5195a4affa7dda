"""The page `/metrics`: what it costs, and that it comes whatever the stores do."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis
from sqlalchemy import Engine, event

from certmail_config.base import redis_keys
from certmail_config.ledger import advertise, keep, note, run
from certmail_config.metrics.instruments import WorkerMeters
from certmail_config.metrics.table import TABLE, Source
from certmail_config.process.release import Release
from certmail_config.settings import Settings
from certmail_config.sql.engine import open_database
from certmail_config.status.monitoring.page import WAIT_SECONDS, MetricsPage, Stores
from certmail_config.status.monitoring.samples import LEDGER, tally_lanes, write_sample
from certmail_config.stores.connect import connect
from certmail_config.stores.embedded import embedded_server
from support.processes.halt import freeze, thaw

JOBS, TENANTS = 100_000, 1000
Values = dict[tuple[str, tuple[str, ...]], float]


class Pages:
    """The page of one process over these stores."""

    def __init__(self, redis_url: str, engine: Engine) -> None:
        self.meters = WorkerMeters()
        stores = Stores(Settings(), redis_url, engine)
        release = Release("1.2.3", "abc")
        self.page = MetricsPage("worker", release, self.meters.registry, stores, dict)

    async def text(self) -> str:
        return (await self.page.page()).body.decode()

    async def values(self) -> Values:
        return {
            (sample.name, tuple(sample.labels.values())): sample.value
            for family in text_string_to_metric_families(await self.text())
            for sample in family.samples
        }


@pytest.fixture
def database_engine(ready_database: str) -> Iterator[Engine]:
    engine = open_database(ready_database)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite_engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path}/any.sqlite")
    yield engine
    engine.dispose()


def calls(redis: Redis) -> Counter[str]:
    """How often each command was called at the server."""
    stats: Any = redis.info("commandstats")
    return Counter({name: int(each["calls"]) for name, each in stats.items()})


def fill(redis: Redis) -> None:
    """So many jobs in the lanes of so many tenants, as far as a scrape could see them."""
    with redis.pipeline(transaction=False) as pipe:
        for tenant in range(TENANTS):
            name, jobs = f"t{tenant}", {f"{tenant}-{n}": 1e15 + n for n in range(JOBS // TENANTS)}
            pipe.sadd(redis_keys.TENANTS, name)
            pipe.hset(redis_keys.TENANT + name, "connection:default", name)
            pipe.hset(redis_keys.LANE_INFO + name, mapping={"state": "open", "tenant": name})
            pipe.zadd(redis_keys.LANE + name, jobs)
            pipe.zadd(redis_keys.DUE, jobs)
            pipe.zadd(redis_keys.WAKE, {name: 1.0 + tenant})
            pipe.xadd(redis_keys.EVENTS, {"type": "enqueued"})
        pipe.execute()


async def test_a_scrape_costs_the_same_with_100_000_waiting_and_1_000_tenants_as_with_none(
    redis: Redis, redis_url: str, database_engine: Engine
) -> None:
    said: list[str] = []
    event.listen(database_engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    pages = Pages(redis_url, database_engine)

    async def cost() -> tuple[Counter[str], list[str], int]:
        await pages.text()  # connections are open now
        pages.page._ledger._known = pages.page._database._known = None
        said.clear()
        before = calls(redis)
        text = await pages.text()
        found = calls(redis) - before - Counter({"cmdstat_info": 1})  # our own looking
        return found, list(said), len(text)

    run(redis, advertise("w", 100, seconds=1e6))
    run(redis, note("pacer", within=60))
    redis.xadd(redis_keys.EVENTS, {"type": "enqueued"})
    redis.hset(redis_keys.SAMPLE, LEDGER, write_sample(tally_lanes([], 1.0, 20), 1.0))
    commands, statements, length = await cost()
    fill(redis)
    with_many, statements_with_many, length_with_many = await cost()

    assert redis.zcard(redis_keys.DUE) == JOBS
    assert with_many == commands
    assert statements_with_many == statements
    assert len(statements) <= 3
    assert 15 < sum(commands.values()) < 35
    assert not {"cmdstat_scan", "cmdstat_keys", "cmdstat_evalsha"} & set(commands)
    assert abs(length_with_many - length) < 200, "only figures differ"


async def test_every_gauge_of_the_ledger_is_told(
    redis: Redis, redis_url: str, sqlite_engine: Engine
) -> None:
    run(redis, advertise("w", 100, seconds=1e6))
    run(redis, keep("w", seconds=1e3))
    run(redis, note("pacer", within=60))
    redis.hset(redis_keys.SAMPLE, LEDGER, write_sample(tally_lanes([], 1.0, 20), 1.0))
    told = {name for name, _ in await Pages(redis_url, sqlite_engine).values()}
    assert {metric.name for metric in TABLE[Source.LEDGER]} <= told


async def test_what_waits_too_long_and_what_stands_still_is_told_with_its_age(
    redis: Redis, redis_url: str, sqlite_engine: Engine
) -> None:
    now = time.time()
    run(redis, advertise("w", 7, seconds=1e6))
    for service in ("pacer", "recorder"):
        redis.hset(
            redis_keys.PROGRESS, service, f"{now * 1000 - 100_000:.0f}|{now * 1000 - 40_000:.0f}"
        )
    redis.zadd(redis_keys.WAKE, {"a": (now - 30) * 1000, "b": (now + 30) * 1000})
    redis.zadd(redis_keys.DUE, {"j": (now - 20) * 1000})
    redis.hset(redis_keys.STOPPED, "code", "clock_leapt")
    redis.sadd(redis_keys.PAUSED, "*", "acme")
    found = await Pages(redis_url, sqlite_engine).values()

    assert found["certmail_workers_capacity", ()] == 7
    assert found["certmail_lanes_due", ()] == 1
    assert 30 <= found["certmail_lane_due_age_seconds", ()] < 90
    assert 20 <= found["certmail_job_due_age_seconds", ()] < 80
    assert found["certmail_pacing_stopped", ("clock_leapt",)] == 1
    assert (found["certmail_paused", ()], found["certmail_paused_tenants", ()]) == (1, 1)
    assert 100 <= found["certmail_service_age_seconds", ("pacer",)] < 160
    assert 40 <= found["certmail_service_late_seconds", ("pacer",)] < 100
    assert found["certmail_service_late_seconds", ("recorder",)] == 0, "nothing is to be recorded"
    assert abs(found["certmail_clock_ahead_seconds", ("redis",)]) < 60


async def test_the_recorders_lag_is_in_events_and_in_seconds(
    redis: Redis, redis_url: str, sqlite_engine: Engine
) -> None:
    now = int(time.time() * 1000)
    for ms in (now - 60_000, now - 50_000, now - 40_000):
        redis.xadd(redis_keys.EVENTS, {"type": "t"}, id=f"{ms}-0")
    redis.set(redis_keys.RECORDED, f"{now - 60_000}-0")
    found = await Pages(redis_url, sqlite_engine).values()
    assert found["certmail_recorder_lag_events", ()] == 2
    assert 50 <= found["certmail_recorder_lag_seconds", ()] < 110

    redis.set(redis_keys.RECORDED, f"{now - 40_000}-0")
    found = await Pages(redis_url, sqlite_engine).values()
    assert found["certmail_recorder_lag_events", ()] == 0
    assert found["certmail_recorder_lag_seconds", ()] == 0


@pytest.mark.parametrize(
    "key",
    [
        redis_keys.DUE, redis_keys.WAKE, redis_keys.LEASED, redis_keys.EVENTS, redis_keys.PROGRESS,
        redis_keys.WORKERS, redis_keys.CAPACITY, redis_keys.STOPPED, redis_keys.PAUSED,
        redis_keys.SAMPLE, redis_keys.FORGED, redis_keys.TENANTS, redis_keys.RECORDED,
    ],
)  # fmt: skip
async def test_what_somebody_has_made_something_else_hides_nothing_beside_it(
    redis: Redis, redis_url: str, sqlite_engine: Engine, key: str
) -> None:
    redis.delete(key)
    redis.set(key, b"\xffnot ours") if key != redis_keys.RECORDED else redis.lpush(key, "not ours")
    found = await Pages(redis_url, sqlite_engine).values()
    assert found["certmail_store_up", ("redis",)] == 1
    told = {name for name, _ in found}
    assert "certmail_redis_memory_used_bytes" in told or key in {
        redis_keys.EVENTS,
        redis_keys.TENANTS,
    }
    assert {"certmail_jobs_unfinished", "certmail_paused"} & told


async def test_garbage_in_places_that_people_read_is_no_label(
    redis: Redis, redis_url: str, sqlite_engine: Engine
) -> None:
    redis.hset(redis_keys.STOPPED, "code", b'x"} 1\nforged{a="\xff')
    redis.set(redis_keys.RECORDED, b"\xff-\n")
    redis.xadd(redis_keys.EVENTS, {"type": "t"})
    text = await Pages(redis_url, sqlite_engine).text()
    assert "forged{" not in text
    assert 'certmail_pacing_stopped{code="other"} 1.0' in text


async def test_a_redis_that_stands_still_is_waited_for_a_second_and_told(
    tmp_path: Path, sqlite_engine: Engine
) -> None:
    with embedded_server(tmp_path / "own") as url, connect(url) as redis:
        info: Any = redis.info("server")
        pages = Pages(url, sqlite_engine)
        pages.meters.sent("accepted", "none", 0.2)
        server: Any = SimpleNamespace(pid=int(info["process_id"]))
        assert (await pages.values())["certmail_store_up", ("redis",)] == 1
        freeze(server)
        try:
            pages.page._ledger._known = None
            began = time.monotonic()
            found = await pages.values()
            waited = time.monotonic() - began
        finally:
            thaw(server)

    assert WAIT_SECONDS <= waited < WAIT_SECONDS + 20, "on a busy machine"
    assert found["certmail_store_up", ("redis",)] == 0
    assert found["certmail_store_up", ("database",)] == 1
    assert found["certmail_sends_total", ("none", "accepted")] == 1
    assert found["certmail_build_info", ("worker", "abc", "1.2.3")] == 1
    assert ("certmail_jobs_unfinished", ()) not in found


async def test_a_database_that_cannot_be_reached_is_told(redis: Redis, redis_url: str) -> None:
    engine = open_database("postgresql+psycopg://certmail@127.0.0.1:1/nothing")
    found = await Pages(redis_url, engine).values()
    assert found["certmail_store_up", ("database",)] == 0
    assert found["certmail_store_up", ("redis",)] == 1
