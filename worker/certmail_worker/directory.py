"""Tenants and connections as delivery sees them: read from the working copy, opened with the vault."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass, field
from typing import Any, cast

from redis.asyncio import Redis

from certmail_config import keys
from certmail_config.connections import Connection
from certmail_config.errors import SealBroken
from certmail_config.ids import ConnectionId
from certmail_config.sealing import Opener
from certmail_config.vault import Vault
from certmail_config.working_copy import read_connection

OPENER_SECONDS = 60.0
"""How long a tenant's private half is kept in memory: erasing a tenant takes effect within this time."""


@dataclass(slots=True)
class Directory:
    """Looks things up; keeps opened values in memory, never longer than they are true."""

    redis: Redis
    vault: Vault
    _openers: dict[str, tuple[float, Opener]] = field(default_factory=dict)
    _connections: dict[ConnectionId, tuple[bytes, Connection]] = field(default_factory=dict)

    async def connection(self, id: ConnectionId) -> Connection | None:  # noqa: A002 - the contract's word
        """The connection as it is now; None if it was removed. Raises SealBroken."""
        fields = await cast("Any", self.redis.hgetall(keys.CONNECTION + id))
        known = self._connections.get(id)
        if fields and known and known[0] == fields[b"sealed"]:
            return known[1]
        found = read_connection(fields, id, self.vault)
        if found is not None:
            self._connections[id] = (fields[b"sealed"], found)
        return found

    async def open(self, payload: bytes, *, tenant: str, job: str) -> bytes:
        """Read a sealed reminder; raises SealBroken."""
        return (await self._opener(tenant)).open(payload, tenant=tenant, job=job)

    async def _opener(self, tenant: str) -> Opener:
        known = self._openers.get(tenant)
        if known and known[0] > time.monotonic():
            return known[1]
        sealed = await cast("Any", self.redis.hget(keys.TENANT + tenant, "private_key"))
        if sealed is None:
            raise SealBroken(
                "tenant_unknown",
                f"There is no tenant {tenant!r} any more: what was sealed for it cannot be read.",
            )
        opener = Opener(self.vault.open(base64.b64decode(sealed), owner=tenant))
        self._openers[tenant] = (time.monotonic() + OPENER_SECONDS, opener)
        return opener
