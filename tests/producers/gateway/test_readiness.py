"""/readyz: ready as long as reminders can be taken in; what else is missing stands beside it."""

from __future__ import annotations

import socket
import time
from importlib.metadata import version
from itertools import count
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import create_engine

from certmail.gateway.readiness import FRESH_SECONDS, LATE, ReadinessChecker, readiness
from certmail_config.admin.admin import Admin
from certmail_config.base import redis_keys
from certmail_config.ledger import advertise, note, run
from certmail_config.status.behind import STANDS

REMINDER = {"tenant": "acme", "to": "anna@people.example"}


def close_the_database(admin: Admin) -> None:
    admin.engine.dispose()
    (admin.settings.data_dir / "certmail.sqlite").rename(admin.settings.data_dir / "gone")
    (admin.settings.data_dir / "certmail.sqlite").mkdir()  # nothing can be opened there


async def test_all_is_well(client: Any, redis: Redis) -> None:
    run(redis, advertise("w", 10, seconds=60))
    assert await client.get("/healthz") == (200, {"ok": True})
    assert await client.get("/readyz") == (
        200,
        {
            "ready": True,
            "version": version("certmail"),
            "revision": "",
            "checks": {"redis": "ok", "database": "ok", "workers": "ok"},
        },
    )


async def test_it_is_ready_while_the_database_is_away_and_reminders_are_taken_in(
    client: Any, admin: Admin
) -> None:
    close_the_database(admin)
    status, found = await client.get("/readyz")
    assert (status, found["ready"]) == (200, True)
    assert found["checks"]["database"] == "database_unreachable"
    assert (await client.post(REMINDER))[0] == 202


async def test_a_database_that_never_answers_does_not_make_a_probe_wait(
    admin: Admin, redis: Redis
) -> None:
    run(redis, advertise("w", 10, seconds=60))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql+psycopg://certmail@127.0.0.1:{silent.getsockname()[1]}/record"
        waits = Admin(admin.settings, create_engine(url), admin.redis, admin.vault)
        checker = ReadinessChecker(waits, monotonic=count(step=10).__next__, check_seconds=1)

        for _ in range(3):
            found = await checker.look()
            assert found.ready
            assert found.checks == {"redis": "ok", "database": LATE, "workers": "ok"}

        silent.setblocking(False)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()  # however often it is looked, it is asked once
        checker.close()


async def test_what_stops_pacing_is_said_and_withdraws_nobody(admin: Admin, redis: Redis) -> None:
    run(redis, advertise("w", 10, seconds=60))
    redis.hset(redis_keys.STOPPED, "code", "replicas_missing")
    found = readiness(admin)
    assert found.ready
    assert found.checks["pacing"] == "stopped (`certmail doctor` says more): replicas_missing"


async def test_it_is_not_ready_where_nothing_is_taken_in(client: Any, redis: Redis) -> None:
    before = redis.config_get("maxmemory")["maxmemory"]
    used = int(redis.info("memory")["used_memory"])
    redis.config_set("maxmemory", int(used / 0.9))
    try:
        status, found = await client.get("/readyz")
        assert (status, found["ready"], found["checks"]["redis"]) == (503, False, "redis_full")
        assert (await client.post(REMINDER))[0] == 503
    finally:
        redis.config_set("maxmemory", before or "0")


def test_what_works_behind_it_is_said_and_decides_nothing(admin: Admin, redis: Redis) -> None:
    assert readiness(admin).checks["workers"] == "none is alive: reminders wait"
    run(redis, advertise("w", 10, seconds=60))
    run(redis, note("pacer", within=-1))
    found = readiness(admin)

    assert found.ready
    assert found.checks["workers"] == "ok"
    assert found.checks["pacer"].startswith(f"{STANDS} 20")

    redis.hset(redis_keys.PROGRESS, "waits", "3|1")
    assert readiness(admin).checks["waits"].startswith("3 mailboxes and 1 projects wait")


async def test_who_asks_again_and_again_costs_the_server_nothing(
    admin: Admin, redis: Redis
) -> None:
    now = time.monotonic()
    readying = ReadinessChecker(admin, monotonic=lambda: now)
    await readying.look()
    before = redis.info("commandstats")["cmdstat_set"]["calls"]
    for _ in range(50):
        await readying.look()
    assert redis.info("commandstats")["cmdstat_set"]["calls"] == before

    now += FRESH_SECONDS + 1
    await readying.look()
    assert redis.info("commandstats")["cmdstat_set"]["calls"] == before + 1


@pytest.mark.parametrize("value", [b"", b"x", b"|", b"9" * 500 + b"|1", b"1|\xff"])
def test_notes_that_are_none_say_nothing(admin: Admin, redis: Redis, value: bytes) -> None:
    run(redis, advertise("w", 10, seconds=60))
    for name in ("pacer", "rung", "clock:w", "waits", "a service of nobody's"):
        redis.hset(redis_keys.PROGRESS, name, value)
    redis.hset(redis_keys.CAPACITY, "w", value)
    assert set(readiness(admin).checks) <= {"redis", "database", "workers", "pacer", "waits"}
