"""What an operator suspends, pauses and removes.

SQL decides, Redis follows, whatever was lost or came back in between.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import insert, select

from certmail import Mailer, Reminder
from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.erasing import erase_connection, erase_tenant
from certmail_config.admin.suspension import (
    lift_suspension,
    pause_tenant,
    set_tenant_state,
    stop_everything,
    suspend_connection,
)
from certmail_config.base import redis_keys
from certmail_config.base.errors import Refused, ReminderRejected
from certmail_config.ledger import pause, remove_lane, run
from certmail_config.settings import Settings
from certmail_config.sql import registry, tables
from certmail_config.tenants.models import Connection, GoogleLimits, TenantState
from certmail_config.tenants.pauses import pause_of, paused_in
from certmail_config.tenants.working_copy_removal import hide_connection


@pytest.fixture
def admin(redis: Redis, redis_url: str, ready_database: str, tmp_path: Path) -> Iterator[Admin]:
    settings = Settings(redis_url=redis_url, database_url=ready_database, data_dir=tmp_path)
    with open_admin(settings, make_key=True) as made:
        made.add_tenant("acme", name="ACME")
        made.add_tenant("globex")
        yield made


@pytest.fixture
def connection(admin: Admin) -> Connection:
    """One that works."""
    made = admin.add_customer_owned_app(
        "acme",
        "default",
        service_account="certmail@acme-it.iam.gserviceaccount.com",
        mailbox="reviews@acme.example",
        limits=GoogleLimits(),
        valid_days=30,
    )
    return admin.save(made.working(key_id="abc"))


def events(admin: Admin) -> list[tuple[str, str, str]]:
    entries: Any = admin.redis.xrange(redis_keys.EVENTS)
    return [
        tuple(fields.get(name, b"").decode() for name in (b"type", b"tenant", b"reason"))
        for _, fields in entries
    ]


def lane(admin: Admin, connection: Connection) -> dict[str, str]:
    found: Any = admin.redis.hgetall(redis_keys.LANE_INFO + connection.id)
    return {name.decode(): value.decode() for name, value in found.items()}


def remind(admin: Admin, tenant: str = "acme", to: str = "ann@people.example") -> str:
    with Mailer(admin.redis) as mailer:
        return str(mailer.send(Reminder(tenant=tenant, to=to)).id)


def reason(admin: Admin, job: str) -> str:
    with Mailer(admin.redis) as mailer:
        view = mailer.status(job)
    assert view is not None
    return str(view.reason)


class TestPausing:
    def test_everything_or_one_tenant_and_again_changes_nothing(self, admin: Admin) -> None:
        assert stop_everything(admin, on=True, reason="by ann")
        assert not stop_everything(admin, on=True, reason="by bob")
        assert pause_tenant(admin, "acme", on=True, reason="by ann")
        assert paused_in(admin.redis) == {"*", "acme"}
        assert stop_everything(admin, on=False, reason="by ann")
        assert paused_in(admin.redis) == {"acme"}
        assert pause_tenant(admin, "acme", on=False, reason="by bob")
        assert not pause_tenant(admin, "acme", on=False, reason="by bob")
        assert events(admin)[-4:] == [
            ("paused", "*", "by ann"),
            ("paused", "acme", "by ann"),
            ("resumed", "*", "by ann"),
            ("resumed", "acme", "by bob"),
        ]

    @pytest.mark.parametrize(
        "again", ["publish_missing", "copy_missing", "publish_pauses", "add_tenant", "save"]
    )
    def test_a_redis_that_was_wiped_is_told_before_anything_else(
        self, admin: Admin, connection: Connection, again: str
    ) -> None:
        stop_everything(admin, on=True, reason="by ann")
        set_tenant_state(admin, "globex", TenantState.SUSPENDED, "by ann")
        admin.redis.flushall()

        match again:
            case "add_tenant":
                admin.add_tenant("initech")
            case "save":
                admin.save(connection)
            case _:
                getattr(admin.projector, again)()

        assert paused_in(admin.redis) == {"*", "globex"}
        assert events(admin)[0][0] == "paused", "before a lane is opened"

    def test_what_redis_alone_holds_back_leaves_once_it_is_brought_up_to_date(
        self, admin: Admin, connection: Connection
    ) -> None:
        run(admin.redis, pause("acme", on=True))
        run(admin.redis, pause(None, on=True))
        remind(admin)
        admin.redis.delete(redis_keys.WAKE)
        admin.projector.publish_missing()

        assert paused_in(admin.redis) == set()
        assert admin.redis.zscore(redis_keys.WAKE, connection.id) is not None, (
            "its lane is visited again"
        )

    def test_an_unknown_tenant_is_refused(self, admin: Admin) -> None:
        with pytest.raises(Refused, match="no tenant 'initech'"):
            pause_tenant(admin, "initech", on=True, reason="")
        assert paused_in(admin.redis) == set()


class TestTenants:
    def test_a_paused_one_takes_reminders_in_and_a_suspended_one_does_not(
        self, admin: Admin
    ) -> None:
        pause_tenant(admin, "acme", on=True, reason="by ann")
        job = remind(admin)
        assert reason(admin, job).startswith("paused: An operator lets nothing of acme leave")
        assert "certmail resume --tenant acme" in reason(admin, job)

        set_tenant_state(admin, "acme", TenantState.SUSPENDED, "by ann")
        assert "certmail tenants resume acme" in reason(admin, job)
        with pytest.raises(ReminderRejected) as rejected:
            remind(admin)
        assert rejected.value.code == "tenant_suspended"

        set_tenant_state(admin, "acme", TenantState.ACTIVE, "by ann")
        assert remind(admin, to="bob@people.example")
        assert reason(admin, job).startswith("connection_draft: ")
        assert pause_of(admin.redis, "acme") is None

    def test_what_stops_all_is_said_first(self, admin: Admin) -> None:
        pause_tenant(admin, "acme", on=True, reason="by ann")
        stop_everything(admin, on=True, reason="by ann")
        assert pause_of(admin.redis, "acme") == pause_of(admin.redis, "nobody")

    def test_pausing_a_suspended_one_or_letting_it_leave_is_refused(self, admin: Admin) -> None:
        set_tenant_state(admin, "acme", TenantState.SUSPENDED, "by ann")
        for on in (True, False):
            with pytest.raises(Refused) as refused:
                pause_tenant(admin, "acme", on=on, reason="")
            assert refused.value.remedy.endswith("certmail tenants resume acme")

    def test_its_name_and_rule_can_be_changed_meanwhile(self, admin: Admin) -> None:
        set_tenant_state(admin, "acme", TenantState.SUSPENDED, "by ann")
        admin.change_tenant("acme", name="New", uncertain=None)
        assert admin.redis.hget(redis_keys.TENANT + "acme", "state") == b"suspended"
        assert paused_in(admin.redis) == {"acme"}

    def test_one_that_goes_on_has_the_connections_back_whose_removal_had_begun(
        self, admin: Admin, connection: Connection
    ) -> None:
        set_tenant_state(admin, "acme", TenantState.SUSPENDED, "by ann")
        assert run(admin.redis, remove_lane(connection.id)) == 0
        set_tenant_state(admin, "acme", TenantState.ACTIVE, "by ann")
        assert lane(admin, connection)["state"] == "open"
        assert remind(admin)


class TestConnections:
    def test_a_suspended_one_stops_its_lane_with_a_code_a_sentence_and_what_to_do(
        self, admin: Admin, connection: Connection
    ) -> None:
        job = remind(admin)
        stopped = suspend_connection(admin, "acme/default")
        assert (stopped.state, stopped.code) == ("disabled", "connection_disabled")
        assert suspend_connection(admin, connection.id) == stopped, "again it changes nothing"
        assert lane(admin, connection)["state"] == "suspended"
        assert reason(admin, job).startswith(
            "connection_disabled: The connection 'default' of acme is susp"
        )
        assert reason(admin, job).endswith(f"certmail connections resume {connection.id}")

    def test_what_never_worked_goes_back_to_what_it_was(
        self, admin: Admin, connection: Connection
    ) -> None:
        draft = admin.connection("globex/default")
        linked = admin.add_service_provider_app("acme", "apac", limits=GoogleLimits())
        owned = replace(connection, key_id=None)
        states = [each.before_it_worked() for each in (draft, linked, owned, connection)]
        assert states == ["draft", "pending", "pending", None]

        for before in (draft, linked):
            after = lift_suspension(admin, suspend_connection(admin, before.id))
            assert after == replace(before, version=after.version)
            assert lane(admin, before)["code"] == f"connection_{before.state}"


class TestErasing:
    def test_the_default_is_replaced_by_a_draft_and_another_is_not(
        self, admin: Admin, connection: Connection
    ) -> None:
        other = admin.add_service_provider_app("acme", "apac", limits=GoogleLimits())
        for each in (connection, other):
            erase_connection(admin, each)
        with admin.db() as db:
            [draft] = registry.list_connections(db, "acme")
        assert (draft.name, draft.state, draft.id != connection.id) == ("default", "draft", True)
        assert lane(admin, draft)["code"] == "connection_draft"
        assert admin.redis.hgetall(redis_keys.CONNECTION + connection.id) == {}
        assert reason(admin, remind(admin)).startswith("connection_draft: ")

        with Mailer(admin.redis) as mailer, pytest.raises(ReminderRejected) as rejected:
            mailer.send(Reminder(tenant="acme", to="ann@people.example", connection="apac"))
        assert rejected.value.code == "unknown_connection"

    def test_a_newer_one_of_the_same_name_is_not_hidden(
        self, admin: Admin, connection: Connection
    ) -> None:
        old = admin.connection("globex/default")
        hide_connection(admin.redis, "acme", "default", old.id)
        assert remind(admin)

    def test_of_a_tenant_the_record_stays_without_its_people(
        self, admin: Admin, connection: Connection
    ) -> None:
        with admin.db() as db:
            db.execute(insert(tables.deliveries).values([_delivery("acme"), _delivery("globex")]))
        set_tenant_state(admin, "acme", TenantState.SUSPENDED, "by ann")
        erase_tenant(admin, "acme", [connection])
        erase_tenant(admin, "acme", [connection])
        columns = tables.deliveries.c

        with admin.db() as db:
            query = select(columns.tenant, columns.recipient, columns.mailbox).order_by(
                columns.tenant
            )
            assert db.execute(query).all() == [
                ("acme", None, None),
                ("globex", "r@g.example", "m@g.example"),
            ]
            assert [tenant.id for tenant in registry.list_tenants(db)] == ["globex"]
            assert registry.list_connections(db, "acme") == []

        assert paused_in(admin.redis) == set()
        left = [
            key
            for key in admin.redis.scan_iter()
            if b"acme" in key or connection.id.encode() in key
        ]
        assert left == []
        admin.add_tenant("acme")
        assert remind(admin)

    def test_what_was_removed_is_taken_out_of_a_redis_that_came_back_from_an_older_copy(
        self, admin: Admin, connection: Connection
    ) -> None:
        admin.add_service_provider_app("globex", "apac", limits=GoogleLimits())
        job = remind(admin)

        with admin.db() as db:  # as if Redis had been restored since
            db.execute(tables.connections.delete().where(tables.connections.c.tenant == "acme"))
            db.execute(tables.tenants.delete().where(tables.tenants.c.id == "acme"))
            db.execute(tables.connections.delete().where(tables.connections.c.name == "apac"))

        admin.projector.publish_missing()
        assert admin.redis.smembers(redis_keys.TENANTS) == {b"globex"}
        assert (
            admin.redis.exists(redis_keys.TENANT + "acme", redis_keys.CONNECTION + connection.id)
            == 0
        )
        assert admin.redis.hget(redis_keys.TENANT + "globex", "connection:apac") is None
        assert admin.redis.hget(redis_keys.TENANT + "globex", "connection:default") is not None
        assert admin.redis.exists(redis_keys.JOB + job) == 1, (
            "it ends as failed when its turn comes"
        )
        with pytest.raises(ReminderRejected) as rejected:
            remind(admin)
        assert rejected.value.code == "unknown_tenant"


def _delivery(tenant: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    address = f"{tenant[0]}.example"
    return {
        "job": f"job-{tenant}",
        "tenant": tenant,
        "connection": "c",
        "kind": "reminder",
        "recipient": f"r@{address}",
        "mailbox": f"m@{address}",
        "state": "accepted",
        "held": False,
        "possible_duplicate": False,
        "enqueued_at": now,
        "expires_at": now,
        "updated_at": now,
    }
