"""Whose mailbox a request left from: as it is now, and asked for once while it stays the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.settings import Settings
from certmail_config.stores.connect import connect_async
from certmail_config.tenants.models import Connection, GoogleLimits
from certmail_worker.google.tenant_cache import Directory
from certmail_worker.recording.senders import Sender, Senders

Change = Callable[[], object]


@pytest.fixture
def admin(redis_url: str, redis: Any, data_dir: Path) -> Iterator[Admin]:
    with open_admin(Settings(redis_url=redis_url, data_dir=data_dir)) as made:
        yield made


@pytest.fixture
def connection(admin: Admin) -> Connection:
    admin.add_tenant("acme")
    made = admin.add_customer_owned_app(
        "acme",
        "default",
        service_account="sa@acme.iam.gserviceaccount.com",
        mailbox="reviews@acme.example",
        limits=GoogleLimits(),
        valid_days=30,
    )
    return admin.save(made.working(key_id="key 1"))


def run(admin: Admin, what: Callable[[Senders], Coroutine[Any, Any, None]]) -> None:
    async def go() -> None:
        async with connect_async(str(admin.settings.redis_url)) as redis:
            await what(Senders(redis, Directory(redis, admin.vault)))

    asyncio.run(go())


def read_whole(admin: Admin) -> int:
    """How many connections were read as a whole since the server's counts began."""
    stats: Any = admin.redis.info("commandstats")
    return int(stats.get("cmdstat_hgetall", {"calls": 0})["calls"])


def test_a_connection_is_read_once_while_it_stays_the_same(
    admin: Admin, connection: Connection
) -> None:
    async def what(senders: Senders) -> None:
        known = {connection.id: Sender("acme", "reviews@acme.example", "key 1")}
        assert await senders.find({connection.id}) == known
        before = read_whole(admin)
        assert await senders.find({connection.id}) == known
        admin.change_limits(connection.id, {"units_per_minute": 6000})
        now = read_whole(admin)
        assert await senders.find({connection.id}) == known
        assert read_whole(admin) == now
        assert now >= before

    run(admin, what)


def test_a_new_mailbox_or_certificate_counts_at_once(admin: Admin, connection: Connection) -> None:
    async def what(senders: Senders) -> None:
        await senders.find({connection.id})
        changed = replace(admin.connection(connection.id), mailbox="new@acme.example", key_id="k2")
        admin.save(changed)
        found = await senders.find({connection.id})
        assert found == {connection.id: Sender("acme", "new@acme.example", "k2")}

    run(admin, what)


def test_who_is_not_there_is_left_out(admin: Admin, connection: Connection) -> None:
    async def what(senders: Senders) -> None:
        assert set(await senders.find({connection.id, "nobody", ""})) == {connection.id}
        assert await senders.find(set()) == {}

    run(admin, what)
