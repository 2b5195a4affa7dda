"""What a worker knows of tenants and connections, and when it reads it again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import cast

from redis import Redis

from certmail_config.base import redis_keys
from certmail_worker.google.tenant_cache import Directory
from support.deployment.one_tenant import one_tenant


async def test_a_connection_whose_seal_is_known_is_not_read_again(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    async with one_tenant(tmp_path, redis_url) as setup:
        directory, id_ = Directory(setup.redis, setup.admin.vault), setup.connection.id
        key = redis_keys.CONNECTION + id_
        seal = cast("bytes", redis.hget(key, "sealed"))[-16:]
        found = await directory.connection(id_, seal)
        assert found == setup.connection

        redis.rename(key, "elsewhere")
        assert await directory.connection(id_, seal) is found
        assert await directory.connection(id_, b"another seal") is None


async def test_a_connection_that_has_changed_has_another_seal(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    async with one_tenant(tmp_path, redis_url) as setup:
        directory, id_ = Directory(setup.redis, setup.admin.vault), setup.connection.id
        await directory.connection(id_)
        changed = replace(setup.connection, mailbox="others@acme.example")
        saved = await asyncio.to_thread(setup.admin.save, changed)

        seal = cast("bytes", redis.hget(redis_keys.CONNECTION + id_, "sealed"))[-16:]
        assert await directory.connection(id_, seal) == saved
        # Written anew under the same key and with the same content, too.
        await asyncio.to_thread(setup.admin.save, saved)
        again = cast("bytes", redis.hget(redis_keys.CONNECTION + id_, "sealed"))[-16:]
        assert again != seal
