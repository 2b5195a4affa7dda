"""The HTTP API while Redis is away, stands still, is full or keeps too little.

A clear answer within a bound, and nothing lost.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from certmail.gateway.api.application import mount
from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.api_keys import create_key
from certmail_config.base import redis_keys
from certmail_config.settings import Settings
from certmail_config.tenants.api_keys import KeyScope
from support.servers.replication import DURABLE, Valkey, valkey

REMINDER = {"tenant": "acme", "to": "anna@acme.example"}


class Place:
    """A gateway over a server of its own."""

    def __init__(
        self, server: Valkey, admin: Admin, session: aiohttp.ClientSession, url: str
    ) -> None:
        self.server, self.admin, self.session, self.url = server, admin, session, url

    async def post(self, body: Any, path: str = "/v1/reminders", **headers: str) -> tuple[int, Any]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.post(self.url + path, json=body, headers=named) as answer:
            assert answer.status != 503 or answer.headers["Retry-After"]
            return answer.status, await answer.json(content_type=None)


@pytest.fixture
async def place(tmp_path: Path, data_dir: Path) -> AsyncIterator[Place]:
    with (
        valkey(tmp_path / "server", *DURABLE) as server,
        open_admin(Settings(redis_url=server.url, data_dir=data_dir)) as admin,
    ):
        admin.add_tenant("acme")
        _, key = create_key(admin, "test", tenants=["acme"], scopes=[*KeyScope])

        app = web.Application()
        mount(app, admin, bound_seconds=3)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]

        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as session:
            yield Place(server, admin, session, f"http://{host}:{port}")

        await runner.cleanup()


async def test_a_full_server_is_said_and_takes_nothing(place: Place) -> None:
    memory: Any = place.server.redis.info("memory")
    place.server.redis.config_set("maxmemory", memory["used_memory"] + 100_000)
    status, problem = await place.post(REMINDER)
    assert (status, problem["code"], problem["errors"][0]["code"]) == (
        503,
        "stores_unreachable",
        "redis_full",
    )
    assert "maxmemory" in problem["remedy"]

    status, problem = await place.post({"reminders": [REMINDER] * 3}, "/v1/reminders:batch")
    assert (status, problem["code"]) == (503, "stores_unreachable")

    place.server.redis.config_set("maxmemory", 0)
    assert place.server.redis.exists(redis_keys.DUE) == 0
    assert (await place.post(REMINDER))[0] == 202


async def test_a_server_that_keeps_too_little_is_refused(place: Place) -> None:
    place.server.redis.config_set("appendfsync", "everysec")
    status, problem = await place.post(REMINDER)
    assert (status, problem["errors"][0]["code"]) == (503, "durability_unproven")
    assert place.server.redis.exists(redis_keys.DUE) == 0


async def test_a_server_that_is_gone_is_said_at_once(place: Place) -> None:
    place.server.process.kill()
    place.server.process.wait()
    started = time.monotonic()
    status, problem = await place.post(REMINDER)
    assert (status, problem["errors"][0]["code"]) == (503, "redis_unreachable")
    assert time.monotonic() - started < 10


async def test_one_that_stands_still_is_waited_for_within_a_bound_and_then_nothing_is_in_twice(
    place: Place,
) -> None:
    assert (await place.post(REMINDER | {"to": "first@acme.example"}))[0] == 202
    place.server.freeze()

    try:
        started = time.monotonic()
        status, problem = await place.post(REMINDER, Idempotency_Key="a")
        assert (status, problem["code"]) == (503, "stores_unreachable")
        assert time.monotonic() - started < 8
    finally:
        place.server.thaw()

    deadline = time.monotonic() + 60

    while (await place.post(REMINDER, Idempotency_Key="a"))[0] not in {200, 202}:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.2)

    found: Any = place.server.redis.zcard(redis_keys.DUE)
    assert found == 2
