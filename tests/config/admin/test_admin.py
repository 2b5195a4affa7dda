"""What an operator does with limits.

SQL first, then the lane, and nothing else than what was asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.base import redis_keys
from certmail_config.base.errors import WrongUse
from certmail_config.ledger import Suspension, run, suspend_lane
from certmail_config.settings import Settings
from certmail_config.sql import registry
from certmail_config.tenants.models import Connection, ConnectionState, GoogleLimits
from certmail_config.tenants.working_copy import read_connection, write_connection

ACCOUNT = "certmail@acme-it.iam.gserviceaccount.com"
LIMITS = GoogleLimits(15_000, 2, per_day=1500)


@contextmanager
def opened(redis_url: str, database: str, data_dir: Path, share: float = 1) -> Iterator[Admin]:
    settings = Settings(
        redis_url=redis_url, database_url=database, data_dir=data_dir, project_share=share
    )
    with open_admin(settings, make_key=True) as made:
        yield made


@pytest.fixture
def admin(redis: Redis, redis_url: str, ready_database: str, tmp_path: Path) -> Iterator[Admin]:
    with opened(redis_url, ready_database, tmp_path) as made:
        yield made


@pytest.fixture
def connection(admin: Admin) -> Connection:
    """One that works."""
    admin.add_tenant("acme")
    made = admin.add_customer_owned_app(
        "acme",
        "default",
        service_account=ACCOUNT,
        mailbox="reviews@acme.example",
        limits=LIMITS,
        valid_days=30,
    )

    return admin.save(made.working(key_id="abc"))


def lane(redis: Redis, connection: Connection) -> dict[str, str]:
    found: Any = redis.hgetall(redis_keys.LANE_INFO + connection.id)
    return {name.decode(): value.decode() for name, value in found.items()}


def copy(admin: Admin, connection: Connection) -> Connection | None:
    found: Any = admin.redis.hgetall(redis_keys.CONNECTION + connection.id)
    return read_connection(found, connection.id, admin.vault)


class TestLimits:
    def test_those_given_when_it_is_set_up_are_kept_through_linking(
        self, admin: Admin, connection: Connection
    ) -> None:
        assert (connection.limits, connection.state) == (LIMITS, "active")
        assert admin.add_service_provider_app("acme", "apac", limits=LIMITS).limits == LIMITS

    def test_a_change_is_in_sql_in_the_copy_and_on_the_lane_at_once(
        self, admin: Admin, connection: Connection
    ) -> None:
        changed = admin.change_limits("acme/default", {"per_day": 500, "warm_up_days": 7})
        assert changed == replace(connection, limits=replace(LIMITS, per_day=500, warm_up_days=7))
        assert admin.connection(connection.id) == changed
        assert copy(admin, connection) == changed
        info = lane(admin.redis, connection)
        assert (info["per_day"], info["warm_up_days"], info["in_flight"]) == ("500", "7", "2")

    def test_an_open_lane_stays_open_and_one_that_delivery_stopped_stays_stopped(
        self, admin: Admin, connection: Connection
    ) -> None:
        admin.change_limits(connection.id, {"per_day": 500})
        assert lane(admin.redis, connection)["state"] == "open"
        stopped = Suspension("grant_revoked", "link again", connection.version)
        run(admin.redis, suspend_lane(connection.id, stopped))
        admin.change_limits(connection.id, {"per_day": 600})
        info = lane(admin.redis, connection)

        assert (info["state"], info["code"], info["per_day"]) == (
            "suspended",
            "grant_revoked",
            "600",
        )

    def test_a_probe_under_way_neither_fails_nor_undoes_a_change(
        self, admin: Admin, connection: Connection
    ) -> None:
        admin.change_limits(connection.id, {"per_day": 500})
        saved = admin.save(connection.failing("grant_revoked", "link again", ""))
        assert (saved.limits.per_day, saved.version) == (500, connection.version + 1)
        assert lane(admin.redis, connection)["per_day"] == "500"

    def test_a_change_that_makes_no_sense_changes_nothing(
        self, admin: Admin, connection: Connection
    ) -> None:
        with pytest.raises(WrongUse):
            admin.change_limits(connection.id, {"per_day": 500, "in_flight": 0})
        assert admin.connection(connection.id) == connection

    def test_what_never_reached_the_copy_is_carried_along(
        self, admin: Admin, connection: Connection
    ) -> None:
        with admin.db() as db:
            registry.save_connection(db, connection.failing("grant_revoked", "link again", ""))
        admin.change_limits(connection.id, {"per_day": 500})
        info = lane(admin.redis, connection)

        assert (info["state"], info["code"], info["per_day"]) == (
            "suspended",
            "grant_revoked",
            "500",
        )

    def test_a_repair_brings_back_limits_that_an_older_redis_has_forgotten(
        self, admin: Admin, connection: Connection
    ) -> None:
        admin.change_limits(connection.id, {"per_day": 500})
        with admin.db() as db:
            salt = registry.deployment_salt(db)
        write_connection(admin.redis, admin.vault, connection, salt, settle_lane=False)
        assert lane(admin.redis, connection)["per_day"] == "1500"
        assert admin.projector.publish_missing() == 0
        assert lane(admin.redis, connection)["per_day"] == "500"


class TestTheShareOfAProject:
    def units(self, admin: Admin, connection: Connection) -> tuple[str, str]:
        info = lane(admin.redis, connection)
        return info["project_units_per_minute"], info["project_units_per_day"]

    def test_what_is_written_has_it(
        self, redis: Redis, redis_url: str, ready_database: str, tmp_path: Path
    ) -> None:
        with opened(redis_url, ready_database, tmp_path, share=0.5) as admin:
            _, draft = admin.add_tenant("acme")
            assert self.units(admin, draft) == ("600000", "40000000")
            pending = admin.add_service_provider_app("acme", "default", limits=GoogleLimits())
            assert self.units(admin, pending) == ("600000", "40000000")
            assert pending.limits == GoogleLimits()

    def test_another_one_is_taken_over_by_all_lanes_when_a_worker_starts(
        self,
        admin: Admin,
        connection: Connection,
        redis_url: str,
        ready_database: str,
        tmp_path: Path,
    ) -> None:
        stopped = Suspension("grant_revoked", "link again", connection.version)
        run(admin.redis, suspend_lane(connection.id, stopped))

        with opened(redis_url, ready_database, tmp_path, share=0.25) as other:
            assert other.projector.publish_limits()
            assert not other.projector.publish_limits(), "once is enough"

        assert self.units(admin, connection) == ("300000", "20000000")
        assert lane(admin.redis, connection)["code"] == "grant_revoked"
        assert admin.projector.publish_limits()
        assert self.units(admin, connection) == ("1200000", "80000000")

    def test_a_lane_from_before_there_were_projects_gets_one(
        self, admin: Admin, connection: Connection
    ) -> None:
        before = lane(admin.redis, connection)
        added = {
            "project",
            "per_day",
            "project_units_per_minute",
            "project_units_per_day",
            "warm_up_days",
        }

        assert added <= before.keys()
        admin.redis.hdel(redis_keys.LANE_INFO + connection.id, *added)
        assert admin.projector.publish_limits()
        assert lane(admin.redis, connection) == before

    def test_a_redis_that_was_lost_stays_empty_until_it_is_repaired(
        self, admin: Admin, connection: Connection
    ) -> None:
        admin.redis.flushall()
        admin.projector.publish_limits()
        assert lane(admin.redis, connection) == {}
        assert copy(admin, connection) is None
        assert admin.projector.publish_missing() == 1
        assert lane(admin.redis, connection)["state"] == "open"

    def test_a_connection_whose_newer_version_is_still_to_come_is_left_to_it(
        self, admin: Admin, connection: Connection
    ) -> None:
        with admin.db() as db:
            registry.save_connection(db, replace(connection, state=ConnectionState.DISABLED))
        admin.projector.publish_limits()
        found = copy(admin, connection)
        assert found is not None
        assert found.version == connection.version
