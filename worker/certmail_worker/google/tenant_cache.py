"""Tenants and connections as delivery sees them.

Read from the working copy, opened with the vault.
"""

from __future__ import annotations

import base64
import time
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from cachetools import LRUCache
from redis.asyncio import Redis

from certmail_config.base import redis_keys
from certmail_config.base.errors import SealBroken
from certmail_config.base.ids import ConnectionId
from certmail_config.base.redis_answers import afield_of, afields_of, ahash_of
from certmail_config.crypto.sealing import Opener
from certmail_config.crypto.vault import Vault
from certmail_config.jobs.uncertain_policy import Policy
from certmail_config.tenants.models import Connection
from certmail_config.tenants.sealed_fields import open_from
from certmail_config.tenants.working_copy import read_connection

KNOWN: Final = 5_000
"""How many tenants, connections or tokens are kept in memory; those used last stay."""
TENANT_SECONDS = 60.0
"""How long a tenant's private half is kept in memory.

Erasing a tenant takes effect within this time.
"""


@dataclass(frozen=True, slots=True)
class TenantInside:
    """A tenant as delivery needs it, opened.

    The key to its reminders, what its mails call it and whom they name for replies, and its rule
    for unknown outcomes.
    """

    opener: Opener
    organisation: str
    uncertain: Policy | None = None
    reply_to: str | None = None


@dataclass(slots=True)
class Directory:
    """Looks things up; keeps opened values in memory, never longer than they are true."""

    redis: Redis
    vault: Vault
    _tenants: MutableMapping[str, tuple[float, TenantInside]] = field(
        default_factory=partial(LRUCache, KNOWN)
    )
    _connections: MutableMapping[ConnectionId, tuple[bytes, Connection]] = field(
        default_factory=partial(LRUCache, KNOWN)
    )

    # `id` is the contract's word.
    async def connection(self, id: ConnectionId, seal: bytes = b"") -> Connection | None:  # noqa: A002
        """The connection as it is now, None if it was removed; raises SealBroken.

        `seal` ends what is sealed of it now, where the caller has just been told.
        """
        known = self._connections.get(id)
        if seal and known and known[0].endswith(seal):
            return known[1]

        fields = await ahash_of(self.redis, redis_keys.CONNECTION + id)
        if fields and known and known[0] == fields[b"sealed"]:
            return known[1]

        found = read_connection(fields, id, self.vault)
        if found is not None:
            self._connections[id] = (fields[b"sealed"], found)
        return found

    async def version(self, id: ConnectionId) -> int:  # noqa: A002 - as above
        """The version of the connection in the working copy; 0 if there is none. Needs no key."""
        found = await afield_of(self.redis, redis_keys.CONNECTION + id, "version") or b"0"
        return int(found) if found.isdigit() else 0

    async def open(self, payload: bytes, *, tenant: str, job: str) -> bytes:
        """Read a sealed reminder; raises SealBroken."""
        inside = await self.tenant(tenant)
        try:
            return inside.opener.open(payload, tenant=tenant, job=job)
        except SealBroken:
            # The tenant may have been removed and added anew since, and have another key.
            self._tenants.pop(tenant, None)
            return (await self.tenant(tenant)).opener.open(payload, tenant=tenant, job=job)

    async def tenant(self, tenant: str) -> TenantInside:
        """What only a holder of the vault's keys knows of a tenant; raises SealBroken."""
        if known := self.fresh(tenant):
            return known

        names = ("private_key", "organisation", "uncertain", "reply_to")
        found = await afields_of(self.redis, redis_keys.TENANT + tenant, names)
        sealed, organisation, uncertain, reply_to = found
        if sealed is None:
            message = (
                f"There is no tenant {tenant!r} any more: what was sealed for it cannot be read."
            )
            raise SealBroken("tenant_unknown", message)

        assert organisation is not None, "written with the key, in one step"
        opener = Opener(self._opened(sealed, tenant, "private_key"))
        policy = Policy.parse(uncertain.decode()) if uncertain else None
        address = self._opened(reply_to, tenant, "reply_to").decode() if reply_to else None
        inside = TenantInside(opener, organisation.decode(), policy, address)
        self._tenants[tenant] = (time.monotonic() + TENANT_SECONDS, inside)

        return inside

    def fresh(self, tenant: str) -> TenantInside | None:
        """What is in memory of a tenant, unless that is too old."""
        known = self._tenants.get(tenant)
        return known[1] if known and known[0] > time.monotonic() else None

    def _opened(self, sealed: bytes, tenant: str, name: str) -> bytes:
        return open_from(self.vault, base64.b64decode(sealed), tenant, name)
