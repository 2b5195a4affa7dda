"""The working copy in Redis: all that enqueue and delivery know of tenants and connections.

It is unreadable where it is personal.
"""

from __future__ import annotations

import json
import os
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.base.errors import SealBroken
from certmail_config.base.ids import ConnectionId
from certmail_config.crypto.sealing import new_pair
from certmail_config.crypto.vault import Vault
from certmail_config.ledger import Suspension, run, suspend_lane
from certmail_config.tenants.models import (
    Connection,
    ConnectionKind,
    ConnectionState,
    GoogleLimits,
    Tenant,
)
from certmail_config.tenants.working_copy import (
    TenantView,
    read_connection,
    read_tenant,
    write_connection,
    write_deployment,
    write_tenant,
)

vault = Vault([("k1", os.urandom(32))])
PRIVATE, PUBLIC = new_pair()
SALT = os.urandom(32)
TENANT = Tenant("acme", "active", PUBLIC, vault.seal(PRIVATE, owner="acme"), os.urandom(32), 1)
FULL = Connection(
    ConnectionId("c1"), "acme", "default",
    kind=ConnectionKind.CUSTOMER_OWNED_APP, state=ConnectionState.ACTIVE, code="c", message="m", remedy="r",
    mailbox="reviews@acme.example", service_account="sender@acme-iga.iam.gserviceaccount.com",
    private_key=vault.seal(b"-----BEGIN PRIVATE KEY-----", owner="acme/c1"), certificate="-----BEGIN CERTIFICATE-----",
    not_after=datetime(2027, 11, 23, 12, tzinfo=UTC), key_id="0123abcd",
    next_private_key=b"\xff\x01sealed", next_certificate="-----BEGIN CERTIFICATE-----",
    next_not_after=datetime(2028, 11, 23, 12, tzinfo=UTC), refused_since=datetime(2026, 11, 23, 12, tzinfo=UTC), sub="1100", refresh_token=b"\xff\x00sealed",
    verify=True, limits=GoogleLimits(15000, 2, 500, 600_000, 40_000_000, 7), version=3,
)  # fmt: skip
DRAFT = Connection(ConnectionId("c2"), "acme", "apac")


def write(redis: Redis, connection: Connection, *, settle_lane: bool = True) -> None:
    write_connection(redis, vault, connection, SALT, settle_lane=settle_lane)


def connection(redis: Redis, id: ConnectionId) -> Connection | None:  # noqa: A002 - the contract's word
    found: Any = redis.hgetall(redis_keys.CONNECTION + id)
    return read_connection(found, id, vault)


def tenant(redis: Redis) -> TenantView | None:
    found: Any = redis.hgetall(redis_keys.TENANT + "acme")
    return read_tenant(found, "acme")


def lane(redis: Redis, id: ConnectionId = FULL.id) -> dict[str, str]:  # noqa: A002 - as above
    found: Any = redis.hgetall(redis_keys.LANE_INFO + id)
    return {name.decode(): value.decode() for name, value in found.items()}


def everything(redis: Redis) -> bytes:
    """All that somebody who reads Redis can see."""
    dumps: list[Any] = []

    for key in redis.scan_iter():
        kind: Any = redis.type(key)
        read: dict[bytes, Any] = {
            b"string": redis.get,
            b"hash": redis.hgetall,
            b"set": redis.smembers,
            b"zset": lambda key: redis.zrange(key, 0, -1),
            b"stream": redis.xrange,
        }
        dumps.append((key, read[kind](key)))

    return repr(dumps).encode()


class TestTenants:
    def test_a_producer_finds_what_it_needs_and_no_secret(self, redis: Redis) -> None:
        write_tenant(redis, vault, TENANT, [FULL, DRAFT])
        assert tenant(redis) == TenantView(
            "acme",
            "active",
            PUBLIC,
            TENANT.salt,
            {"default": ConnectionId("c1"), "apac": ConnectionId("c2")},
        )
        assert "private_key" not in {field.name for field in fields(TenantView)}
        assert redis.smembers(redis_keys.TENANTS) == {b"acme"}

    def test_an_unknown_one_is_none(self, redis: Redis) -> None:
        assert tenant(redis) is None

    def test_a_connection_that_comes_later_is_added_to_the_others(self, redis: Redis) -> None:
        write_tenant(redis, vault, TENANT, [FULL])
        write_tenant(redis, vault, TENANT, [DRAFT])
        view = tenant(redis)
        assert view is not None
        assert set(view.connections) == {"default", "apac"}

    def test_an_older_version_does_not_undo_a_newer_one(self, redis: Redis) -> None:
        write_tenant(redis, vault, replace(TENANT, state="suspended", version=2), [FULL])
        write_tenant(redis, vault, TENANT, [FULL])
        view = tenant(redis)
        assert view is not None
        assert view.state == "suspended"

    def test_the_private_half_is_there_for_workers_sealed(self, redis: Redis) -> None:
        write_tenant(redis, vault, TENANT, [])
        assert PRIVATE not in everything(redis)
        assert redis.hexists(redis_keys.TENANT + "acme", "private_key")

    def test_the_deployments_salt_is_put_in_place(self, redis: Redis) -> None:
        write_deployment(redis, SALT)
        assert redis.hexists(redis_keys.DEPLOYMENT, "salt")


class TestConnections:
    def test_everything_about_one_is_read_back(self, redis: Redis) -> None:
        assert all(getattr(FULL, field.name) != field.default for field in fields(FULL)), (
            "every field is tried"
        )
        write(redis, FULL)
        assert connection(redis, FULL.id) == FULL

    def test_a_draft_without_anything_too(self, redis: Redis) -> None:
        write(redis, DRAFT)
        assert connection(redis, DRAFT.id) == DRAFT

    def test_one_written_before_there_were_more_limits_has_googles(self, redis: Redis) -> None:
        write(redis, FULL)
        sealed: Any = redis.hget(redis_keys.CONNECTION + FULL.id, "sealed")
        value = json.loads(vault.open(sealed, owner=FULL.owner))
        value["limits"] = {"units_per_minute": 15000, "in_flight": 2}
        old = vault.seal(json.dumps(value).encode(), owner=FULL.owner)
        redis.hset(redis_keys.CONNECTION + FULL.id, "sealed", old)
        assert connection(redis, FULL.id) == replace(FULL, limits=GoogleLimits(15000, 2))

    def test_an_unknown_one_is_none(self, redis: Redis) -> None:
        assert connection(redis, FULL.id) is None

    def test_who_reads_redis_learns_neither_mailbox_nor_account_nor_key(self, redis: Redis) -> None:
        write_deployment(redis, SALT)
        write_tenant(redis, vault, TENANT, [FULL])
        write(redis, FULL)
        seen = everything(redis)
        assert redis_keys.LANE_INFO.encode() in seen

        for secret in (
            "reviews",
            "acme.example",
            "gserviceaccount",
            "PRIVATE",
            "CERTIFICATE",
            "0123abcd",
            "1100",
            "acme-iga",
        ):
            assert secret.encode() not in seen

    def test_one_copied_to_another_id_or_tenant_does_not_open(self, redis: Redis) -> None:
        write(redis, FULL)
        found: Any = redis.hgetall(redis_keys.CONNECTION + FULL.id)
        with pytest.raises(SealBroken):
            read_connection(found, ConnectionId("c2"), vault)
        with pytest.raises(SealBroken):
            read_connection({**found, b"tenant": b"beta"}, FULL.id, vault)

    def test_an_older_version_does_not_undo_a_newer_one(self, redis: Redis) -> None:
        newer = replace(FULL, mailbox="new@acme.example", limits=GoogleLimits(6000, 1), version=4)
        write(redis, newer)
        before = lane(redis)
        write(redis, FULL)
        assert connection(redis, FULL.id) == newer
        assert lane(redis) == before

    def test_the_same_version_is_written_again_to_repair_it(self, redis: Redis) -> None:
        write(redis, FULL)
        redis.hset(redis_keys.CONNECTION + FULL.id, "sealed", b"damaged")
        write(redis, FULL)
        assert connection(redis, FULL.id) == FULL


class TestLanes:
    def test_it_has_the_connections_limits_and_a_hash_for_a_mailbox(self, redis: Redis) -> None:
        write(redis, FULL)
        info = lane(redis)
        assert (info["tenant"], info["units_per_minute"], info["in_flight"]) == (
            "acme",
            "15000",
            "2",
        )
        assert info["mailbox"] == FULL.lane(SALT).mailbox
        assert len(info["mailbox"]) == 32
        assert (info["per_day"], info["warm_up_days"]) == ("500", "7")
        assert (info["project_units_per_minute"], info["project_units_per_day"]) == (
            "600000",
            "40000000",
        )
        assert info["project"] == FULL.lane(SALT).project

    def test_of_its_project_it_has_the_deployments_share(self, redis: Redis) -> None:
        write_connection(redis, vault, FULL, SALT, settle_lane=True, project_share=0.25)
        info = lane(redis)
        assert (info["project_units_per_minute"], info["project_units_per_day"]) == (
            "150000",
            "10000000",
        )
        assert (info["units_per_minute"], info["per_day"]) == ("15000", "500")
        assert connection(redis, FULL.id) == FULL, "the copy says what the project is allowed"

    def test_that_of_an_active_connection_is_open(self, redis: Redis) -> None:
        write(redis, FULL)
        info = lane(redis)
        assert (info["state"], info["version"]) == ("open", "3")
        assert "code" not in info

    @pytest.mark.parametrize(
        "state", [state for state in ConnectionState if state is not ConnectionState.ACTIVE]
    )
    def test_that_of_any_other_is_suspended_for_the_reason_that_the_connection_gives(
        self, redis: Redis, state: ConnectionState
    ) -> None:
        stopped = replace(FULL, state=state)
        write(redis, stopped)
        info = lane(redis)
        assert info["state"] == "suspended"
        code, message = stopped.waits_for()
        assert (info["code"], info["message"]) == (code, f"{message}\n{stopped.remedy}")

    def test_it_opens_once_the_connection_works_and_stops_once_it_does_not(
        self, redis: Redis
    ) -> None:
        for version, state, expected in [
            (1, ConnectionState.PENDING, "suspended"),
            (2, ConnectionState.ACTIVE, "open"),
            (3, ConnectionState.ATTENTION, "suspended"),
            (4, ConnectionState.ACTIVE, "open"),
            (5, ConnectionState.DISABLED, "suspended"),
        ]:
            write(redis, replace(FULL, state=state, version=version))
            assert (lane(redis)["state"], lane(redis)["version"]) == (expected, str(version))

    def test_a_new_reason_replaces_the_old_one(self, redis: Redis) -> None:
        for version, code in enumerate(["key_unknown", "delegation_missing"], 1):
            write(redis, replace(FULL.failing(code, f"{code} it is", ""), version=version))
            assert (lane(redis)["code"], lane(redis)["message"]) == (code, f"{code} it is")


class TestTheKeeper:
    """Bringing up to date only repairs the copy.

    What delivery found out about a lane is newer than what SQL knows.
    """

    def test_a_lane_that_delivery_suspended_stays_so(self, redis: Redis) -> None:
        write(redis, FULL)
        run(redis, suspend_lane(FULL.id, Suspension("grant_revoked", "link again", FULL.version)))
        write(redis, FULL, settle_lane=False)
        assert (lane(redis)["state"], lane(redis)["code"]) == ("suspended", "grant_revoked")

    def test_a_lane_that_is_open_stays_so(self, redis: Redis) -> None:
        write(redis, FULL)
        write(redis, replace(FULL, state=ConnectionState.ATTENTION), settle_lane=False)
        assert lane(redis)["state"] == "open"

    def test_limits_are_brought_up_to_date(self, redis: Redis) -> None:
        write(redis, FULL)
        write(redis, replace(FULL, limits=GoogleLimits(600, 1), version=4), settle_lane=False)
        assert (lane(redis)["units_per_minute"], lane(redis)["in_flight"]) == ("600", "1")

    def test_limits_are_changed_under_the_same_version_and_a_stopped_lane_stays_stopped(
        self, redis: Redis
    ) -> None:
        write(redis, FULL)
        run(redis, suspend_lane(FULL.id, Suspension("grant_revoked", "link again", FULL.version)))
        slower = replace(FULL, limits=replace(FULL.limits, per_day=100))
        write(redis, slower, settle_lane=False)
        info = lane(redis)

        assert (info["state"], info["code"], info["per_day"]) == (
            "suspended",
            "grant_revoked",
            "100",
        )
        assert connection(redis, FULL.id) == slower

    def test_a_lane_that_is_missing_is_made_as_the_state_says(self, redis: Redis) -> None:
        write(redis, FULL, settle_lane=False)
        write(redis, DRAFT, settle_lane=False)
        assert lane(redis, FULL.id)["state"] == "open"
        assert (lane(redis, DRAFT.id)["state"], lane(redis, DRAFT.id)["code"]) == (
            "suspended",
            "connection_draft",
        )
