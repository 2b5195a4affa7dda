"""The gateway, served in the test's own process over a real server.

With the tenants `acme` and `globex`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from redis import Redis

from certmail.gateway.app import runner_of
from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.api_keys import create_key
from certmail_config.settings import PREFIX, Settings
from certmail_config.tenants.api_keys import KeyScope


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of whoever runs the tests must not decide them."""
    for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
        monkeypatch.delenv(name)


@dataclass
class Client:
    """An upstream application with an API key."""

    session: aiohttp.ClientSession
    base: str
    key: str

    async def ask(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any
    ) -> tuple[int, Any, Any]:
        """Status, JSON, headers."""
        given = {"Authorization": f"Bearer {self.key}"} | (headers or {})
        async with self.session.request(method, self.base + path, headers=given, **more) as answer:
            return answer.status, await answer.json(content_type=None), answer.headers

    async def post(
        self, body: Any, path: str = "/v1/reminders", **headers: str
    ) -> tuple[int, Any, Any]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.ask("POST", path, json=body, headers=named)

    async def get(self, path: str) -> tuple[int, Any]:
        status, value, _ = await self.ask("GET", path)
        return status, value


@pytest.fixture
def settings(redis: Redis, redis_url: str, data_dir: Path) -> Settings:
    return Settings(data_dir=data_dir, redis_url=redis_url, public_url="https://certmail.example")


@pytest.fixture
def admin(settings: Settings) -> Iterator[Admin]:
    with open_admin(settings) as admin:
        admin.add_tenant("acme", name="Acme Ltd")
        admin.add_tenant("globex")
        yield admin


@pytest.fixture
async def served(admin: Admin) -> AsyncIterator[str]:
    """The gateway's address."""
    runner = runner_of(admin, 1024)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    await runner.cleanup()


def make_key(admin: Admin, *tenants: str, scopes: list[KeyScope] | None = None) -> str:
    return create_key(admin, "test", tenants=tenants, scopes=scopes or list(KeyScope))[1]


@pytest.fixture
async def client(admin: Admin, served: str) -> AsyncIterator[Client]:
    """An application of acme's, with every scope."""
    key = await asyncio.to_thread(make_key, admin, "acme")
    async with aiohttp.ClientSession() as session:
        yield Client(session, served, key)
