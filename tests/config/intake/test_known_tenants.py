"""What a producer keeps of tenants in memory, and that this has a bound."""

from __future__ import annotations

import os

import pytest
from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.crypto.sealing import new_pair
from certmail_config.crypto.vault import Vault
from certmail_config.intake.known_tenants import TENANT_SECONDS, KnownTenants
from certmail_config.intake.preparing import KnownTenant
from certmail_config.tenants.models import Tenant
from certmail_config.tenants.working_copy import write_tenant

VAULT = Vault([("k1", os.urandom(32))])
PRIVATE, PUBLIC = new_pair()


class Clock:
    """Seconds that pass when they are told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(redis: Redis) -> Clock:
    """A server with four tenants, and a clock."""
    sealed = VAULT.seal(PRIVATE, owner="t")
    for n in range(4):
        write_tenant(redis, VAULT, Tenant(f"t{n}", "active", PUBLIC, sealed, b"salt", 1), [])
    return Clock()


def known(tenants: KnownTenants, tenant: str) -> KnownTenant:
    found = tenants.get(tenant)
    assert isinstance(found, KnownTenant)
    return found


def test_so_many_are_kept_and_those_read_last_stay(redis: Redis, clock: Clock) -> None:
    tenants = KnownTenants(redis, None, most=2, monotonic=clock)
    first = [known(tenants, f"t{n}") for n in range(4)]
    assert list(tenants._found) == ["t2", "t3"]
    redis.delete(redis_keys.TENANT + "t2", redis_keys.TENANT + "t3")
    assert [known(tenants, f"t{n}") for n in (2, 3)] == first[2:], "they are not read again"
    assert known(tenants, "t0").tenant == first[0].tenant


def test_one_that_is_read_again_keeps_its_data_key_and_its_place(
    redis: Redis, clock: Clock
) -> None:
    tenants = KnownTenants(redis, None, most=2, monotonic=clock)
    before = known(tenants, "t0")
    known(tenants, "t1")
    clock.now += TENANT_SECONDS + 1
    assert known(tenants, "t0").sealer is before.sealer
    known(tenants, "t2")
    assert list(tenants._found) == ["t0", "t2"]
