"""The tenants as a producer knows them: read from Redis, and kept for a few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, cast

from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.base.errors import ReminderRejected
from certmail_config.crypto.sealing import Sealer
from certmail_config.intake.preparing import KnownTenant, not_the_tenants
from certmail_config.tenants.pinning import Pin
from certmail_config.tenants.working_copy import read_tenant

TENANT_SECONDS: Final = 5.0
"""How long what is known of a tenant is trusted: a new connection is seen after that time."""
KNOWN: Final = 5_000
"""How many tenants are kept in memory; those that were read last stay."""


class KnownTenants:
    """Looks tenants up; `pin` says which public keys are theirs.

    Not for several threads at once.
    """

    def __init__(
        self,
        redis: Redis,
        pin: Pin | None,
        *,
        most: int = KNOWN,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._most = most
        self._pin = pin
        self._monotonic = monotonic
        self._found: dict[str, tuple[float, KnownTenant]] = {}

    def get(self, tenant: str) -> KnownTenant | ReminderRejected | None:
        """A tenant, or None if there is none.

        Or why nothing is sealed to the key that Redis has for it. Raises RedisError.
        """
        found = self._found.get(tenant)
        if found is not None and found[0] > self._monotonic():
            return found[1]

        fields = cast("dict[bytes, bytes]", self._redis.hgetall(redis_keys.TENANT + tenant))
        view = read_tenant(fields, tenant)
        if view is None:
            return None
        if self._pin is not None and not self._pin(tenant, fields):
            return not_the_tenants(tenant)

        # The sealer is kept as long as the key is the same: it holds the data key of the hour.
        same = found is not None and found[1].tenant.public_key == view.public_key
        known = KnownTenant.of(view, found[1].sealer if found and same else Sealer(view.public_key))
        self._keep(tenant, known)
        return known

    def _keep(self, tenant: str, known: KnownTenant) -> None:
        self._found.pop(tenant, None)
        while len(self._found) >= self._most:
            del self._found[next(iter(self._found))]
        self._found[tenant] = (self._monotonic() + TENANT_SECONDS, known)
