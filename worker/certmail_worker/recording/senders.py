"""Mailboxes and certificates of connections, for the record of requests.

A batch names few connections many times. One round trip tells which versions they have; whoever is
known of that version is taken from memory. A new mailbox or certificate always makes a new version.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from redis.asyncio import Redis
from redis.exceptions import RedisError

from certmail_config.base import redis_keys
from certmail_config.base.errors import SealBroken
from certmail_config.base.ids import ConnectionId
from certmail_config.stores.connect import wrong_type
from certmail_config.tenants.models import Connection
from certmail_worker.google.tenant_cache import Directory

log = logging.getLogger(__name__)

MAX_KEPT: Final = 50_000
"""Connections in memory; beyond that all are forgotten, and asked for again."""


class Sender(NamedTuple):
    """What the record says of a request's connection."""

    tenant: str
    mailbox: str | None
    key_id: str | None


class Senders:
    """See the module; belongs to one recorder."""

    def __init__(self, redis: Redis, directory: Directory) -> None:
        self._redis = redis
        self._directory = directory
        self._kept: dict[str, tuple[bytes, Sender]] = {}

    async def find(self, connections: Collection[str]) -> Mapping[str, Sender]:
        """Those that are there and can be read.

        Raises RedisError, SealBroken where a vault key is missing.
        """
        found: dict[str, Sender] = {}
        unknown: list[str] = []
        versions = await self._versions(connections) if connections else {}

        for connection, version in versions.items():
            kept = self._kept.get(connection)
            if kept is not None and kept[0] == version:
                found[connection] = kept[1]
            else:
                unknown.append(connection)

        read = await asyncio.gather(*map(self._read, unknown))
        return found | {
            name: sender for name, sender in zip(unknown, read, strict=True) if sender is not None
        }

    async def _versions(self, connections: Collection[str]) -> Mapping[str, object]:
        """Their versions in the working copy; an error where one holds something else."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for connection in connections:
                # Queued.
                pipe.hget(redis_keys.CONNECTION + connection, "version")  # type: ignore[unused-awaitable]
            answers = await pipe.execute(raise_on_error=False)
        return dict(zip(connections, answers, strict=True))

    async def _read(self, connection: str) -> Sender | None:
        try:
            found = await self._directory.connection(ConnectionId(connection))
        except SealBroken as broken:
            if broken.code == "vault_key_missing":
                raise
            code = broken.code
        except RedisError as error:
            code = only_wrong_type(error)
        # What is kept of the connection cannot be read.
        except Exception as error:  # noqa: BLE001
            code = type(error).__name__
        else:
            return self._keep(connection, found) if found else None

        log.error("sender_unreadable", extra={"connection": connection, "code": code})
        return None

    def _keep(self, connection: str, found: Connection) -> Sender:
        sender = Sender(found.tenant, found.mailbox, found.key_id)
        if len(self._kept) >= MAX_KEPT:
            self._kept.clear()
        self._kept[connection] = (str(found.version).encode(), sender)
        return sender


def only_wrong_type(error: RedisError) -> str:
    """The code for a key that holds something else than it should.

    That is as good as unreadable; any other trouble is the server's, and is raised.
    """
    if not wrong_type(error):
        raise error
    return "wrong_type"
