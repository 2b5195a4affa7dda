"""Rotation of vault keys: all comes under the newest.

Nothing that somebody changed meanwhile is written over.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from redis import Redis
from sqlalchemy import select, update

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.suspension import pause_tenant, set_tenant_state
from certmail_config.admin.vault_key_usage import OldKey, judge, old_keys, seconds_needed
from certmail_config.admin.vault_rotation import Resealed, reseal
from certmail_config.admin.working_copy_audit import TenantAudit
from certmail_config.base import redis_keys
from certmail_config.base.errors import SealBroken
from certmail_config.crypto.vault import Vault, key_id_of
from certmail_config.google.oauth import OAuthClient
from certmail_config.ledger import Suspension, run, suspend_lane
from certmail_config.onboarding.consents import begin_link
from certmail_config.settings import Settings
from certmail_config.sql import registry, tables
from certmail_config.sql.sealed import replace_sealed, sealed_rows
from certmail_config.tenants.models import Connection, GoogleLimits, TenantState
from certmail_config.tenants.sealed_fields import open_from, owner_of, seal_for, sealed_in
from certmail_config.tenants.working_copy import read_connection

OLD, NEW, OTHER = ("k-old", os.urandom(32)), ("k-new", os.urandom(32)), ("k-other", os.urandom(32))
OPENS_NEW = Vault([NEW])
TENANTS = ("acme", "beta")
WRITES: Final[dict[str, Callable[[Admin], object]]] = {
    "suspend": lambda admin: set_tenant_state(admin, "acme", TenantState.SUSPENDED, "by ann"),
    "pause": lambda admin: pause_tenant(admin, "acme", on=True, reason="by ann"),
    "go on": lambda admin: set_tenant_state(admin, "acme", TenantState.ACTIVE, "by ann"),
    "change": lambda admin: admin.change_tenant("acme", name="ACME"),
    "a connection": lambda admin: admin.save(admin.connection("acme/default")),
    "all that lacks": lambda admin: admin.projector.publish_missing(),
    "what was lost": lambda admin: (
        admin.redis.delete(redis_keys.TENANT + "acme"),
        admin.projector.copy_missing(),
    ),
    "what cannot be read": lambda admin: admin.projector.republish_tenant("acme"),
    "what was forged": lambda admin: (
        admin.redis.hset(redis_keys.TENANT + "acme", "state", "forged"),
        TenantAudit(admin).put_right(),
    ),
}
"""Everyone who writes a tenant's working copy from what SQL has."""


@dataclass(frozen=True, slots=True)
class Admins:
    """One deployment, as processes with different keys see it."""

    open: Callable[..., Admin]
    old: Admin


@pytest.fixture
def admins(redis: Redis, redis_url: str, ready_database: str, tmp_path: Path) -> Iterator[Admins]:
    """Two tenants, each with a customer owned application and a linked account.

    The application's own key is being rotated.
    """
    with ExitStack() as stack:

        def opened(*keys: tuple[str, bytes]) -> Admin:
            settings = Settings(
                redis_url=redis_url, database_url=ready_database, data_dir=tmp_path, vault_keys=keys
            )
            return stack.enter_context(open_admin(settings))

        old = opened(OLD)
        for tenant in TENANTS:
            old.add_tenant(tenant)
            made = old.add_customer_owned_app(
                tenant,
                "default",
                service_account=f"certmail@{tenant}-it.iam.gserviceaccount.com",
                mailbox=f"reviews@{tenant}.example",
                limits=GoogleLimits(),
                valid_days=30,
            )
            following = seal_for(
                old.vault, f"next key of {tenant}".encode(), made.owner, "next_private_key"
            )
            old.save(replace(made.working(key_id="abc"), next_private_key=following))
            linked = old.add_service_provider_app(tenant, "linked", limits=GoogleLimits())
            old.save(link(old, linked, "first"))
        yield Admins(opened, old)


def link(admin: Admin, connection: Connection, word: str) -> Connection:
    token = seal_for(
        admin.vault, f"refresh token {word}".encode(), connection.owner, "refresh_token"
    )
    return replace(
        connection.working(key_id=None),
        mailbox=f"linked@{connection.tenant}.example",
        refresh_token=token,
    )


def in_sql(admin: Admin) -> dict[tuple[str, str], bytes]:
    with admin.db() as db:
        return {
            (row.who, name): value for row in sealed_rows(db) for name, value in row.values.items()
        }


def copies(redis: Redis) -> dict[str, dict[bytes, bytes]]:
    """All that Redis has of tenants, connections and lanes."""
    prefixes = (redis_keys.TENANT, redis_keys.CONNECTION, redis_keys.LANE_INFO)
    names = [name.decode() for prefix in prefixes for name in redis.scan_iter(prefix + "*")]
    found: dict[str, Any] = {name: redis.hgetall(name) for name in names}
    return found


def without_seals(found: dict[str, dict[bytes, bytes]]) -> dict[str, dict[bytes, bytes]]:
    sealed = {b"sealed", b"private_key", b"reply_to"}
    return {
        name: {n: v for n, v in value.items() if n not in sealed} for name, value in found.items()
    }


def copy_of(admin: Admin, connection: Connection, vault: Vault) -> Connection:
    fields: Any = admin.redis.hgetall(redis_keys.CONNECTION + connection.id)
    found = read_connection(fields, connection.id, vault)
    assert found is not None
    return found


def everything_is_new(admin: Admin) -> None:
    """Everything sealed is under the new key, in SQL and in the working copy, outside and within.

    With the new key alone it opens for its owner.
    """
    with admin.db() as db:
        rows, connections = sealed_rows(db), registry.list_connections(db)
    for row in rows:
        for column, value in row.values.items():
            assert key_id_of(value) == "k-new"
            OPENS_NEW.open(value, owner=owner_of(row.owner, column))

    for tenant in TENANTS:
        text: Any = admin.redis.hget(redis_keys.TENANT + tenant, "private_key")
        OPENS_NEW.open(base64.b64decode(text), owner=owner_of(tenant, "private_key"))

    for connection in connections:
        found = copy_of(admin, connection, OPENS_NEW)
        for column, secret in sealed_in(found).items():
            OPENS_NEW.open(secret, owner=owner_of(found.owner, column))


def opened(admin: Admin, vault: Vault) -> dict[tuple[str, str], bytes]:
    with admin.db() as db:
        rows = sealed_rows(db)
    return {(r.who, n): open_from(vault, v, r.owner, n) for r in rows for n, v in r.values.items()}


class TestRotation:
    def test_everything_comes_under_the_newest_key_and_nothing_else_changes(
        self, admins: Admins
    ) -> None:
        admin = admins.open(NEW, OLD)
        plain, before = opened(admin, admins.old.vault), copies(admin.redis)
        with admin.db() as db:
            connections = registry.list_connections(db)
        stopped = Suspension("grant_revoked", "link again", connections[0].version)
        run(admin.redis, suspend_lane(connections[0].id, stopped))
        before = copies(admin.redis)
        done = reseal(admin)
        assert (done.values, done.copies, done.unopened) == (9, 6, ())

        everything_is_new(admin)
        assert opened(admin, OPENS_NEW) == plain
        assert without_seals(copies(admin.redis)) == without_seals(before)

        with admin.db() as db:
            after = registry.list_connections(db)
        assert [c.version for c in after] == [c.version for c in connections]

    def test_run_twice_it_does_nothing(self, admins: Admins) -> None:
        admin = admins.open(NEW, OLD)
        reseal(admin)
        before = in_sql(admin), copies(admin.redis)
        done = reseal(admin)
        assert (done.values, done.copies, done.unopened) == (0, 0, ())
        assert (in_sql(admin), copies(admin.redis)) == before

    @pytest.mark.parametrize("stop", range(6))
    def test_interrupted_and_run_again_it_goes_on(self, admins: Admins, stop: int) -> None:
        admin = admins.open(NEW, OLD)

        def interrupt(done: int, _: int) -> None:
            if done == stop:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            reseal(admin, interrupt)
        renewed = sum(key_id_of(value) == "k-new" for value in in_sql(admin).values())
        assert (renewed > 0) == (stop > 0)
        assert reseal(admin).values == 9 - renewed
        everything_is_new(admin)

    def test_interrupted_between_sql_and_the_copy_the_copy_follows(self, admins: Admins) -> None:
        admin = admins.open(NEW, OLD)
        before = copies(admin.redis)
        reseal(admin)
        for name, fields in before.items():
            # redis-py's names are narrower.
            admin.redis.hset(name, mapping=dict(fields))  # type: ignore[arg-type]
        done = reseal(admin)
        assert (done.values, done.copies) == (0, 6)
        everything_is_new(admin)

    @pytest.mark.parametrize("by", ["old", "new"])
    def test_what_is_relinked_meanwhile_is_not_written_over(self, admins: Admins, by: str) -> None:
        admin = admins.open(NEW, OLD)
        other = admins.old if by == "old" else admin
        before = admin.connection("beta/linked")

        def relink(done: int, total: int) -> None:
            if done == total - 2:  # the row was read at the beginning
                other.save(link(other, before, "second"))

        reseal(admin, relink)
        after = admin.connection("beta/linked")
        assert after.version == before.version + 1
        assert after.refresh_token is not None
        assert (
            open_from(OPENS_NEW, after.refresh_token, after.owner, "refresh_token")
            == b"refresh token second"
        )
        everything_is_new(admin)

    def test_who_read_before_and_writes_after_does_not_bring_the_old_key_back(
        self, admins: Admins
    ) -> None:
        admin = admins.open(NEW, OLD)
        before = admin.connection("acme/default")
        reseal(admin)
        admin.save(before.failing("grant_revoked", "link again", ""))
        everything_is_new(admin)

    def test_a_copy_is_written_under_the_newest_key_whatever_sql_still_has(
        self, admins: Admins
    ) -> None:
        admin = admins.open(NEW, OLD)
        admin.projector.publish_missing()

        for name, fields in copies(admin.redis).items():
            if name.startswith(redis_keys.TENANT):
                assert key_id_of(base64.b64decode(fields[b"private_key"])) == "k-new"

        with admin.db() as db:
            connections = registry.list_connections(db)
        found = [sealed_in(copy_of(admin, connection, OPENS_NEW)) for connection in connections]
        assert {key_id_of(value) for values in found for value in values.values()} == {"k-new"}

    @pytest.mark.parametrize("write", list(WRITES), ids=list(WRITES))
    def test_whoever_writes_a_tenant_writes_it_under_the_newest_key(
        self, admins: Admins, write: str
    ) -> None:
        admins.old.change_tenant("acme", reply_to="help@acme.example")
        admin = admins.open(NEW, OLD)
        WRITES[write](admin)
        found: Any = admin.redis.hmget(redis_keys.TENANT + "acme", "private_key", "reply_to")
        assert [key_id_of(base64.b64decode(text)) for text in found] == ["k-new", "k-new"]

    def test_a_copy_that_is_older_than_sql_stays_older(self, admins: Admins) -> None:
        admin = admins.open(NEW, OLD)
        before = admin.connection("acme/default")
        with admin.db() as db:
            registry.save_connection(db, before.failing("grant_revoked", "link again", ""))
        lane = admin.redis.hgetall(redis_keys.LANE_INFO + before.id)
        reseal(admin)
        found = copy_of(admin, before, OPENS_NEW)
        assert (found.version, found.state) == (before.version, "active")
        assert admin.redis.hgetall(redis_keys.LANE_INFO + before.id) == lane
        assert admin.projector.publish_missing() == 1

    def test_a_redis_that_was_lost_stays_empty_until_it_is_repaired(self, admins: Admins) -> None:
        admin = admins.open(NEW, OLD)
        admin.redis.flushall()
        done = reseal(admin)
        assert (done.values, done.copies) == (9, 0)
        assert copies(admin.redis) == {}

    def test_a_copy_that_no_key_opens_is_written_from_sql_with_its_lane_as_it_was(
        self, admins: Admins
    ) -> None:
        admin = admins.open(NEW, OLD)
        connection = admin.connection("acme/linked")
        stopped = Suspension("grant_revoked", "link again", connection.version)
        run(admin.redis, suspend_lane(connection.id, stopped))
        lane = admin.redis.hgetall(redis_keys.LANE_INFO + connection.id)
        lost = Vault([OTHER]).seal(b"{}", owner=connection.owner)
        admin.redis.hset(redis_keys.CONNECTION + connection.id, "sealed", lost)
        admin.redis.hset(redis_keys.TENANT + "beta", "private_key", base64.b64encode(lost))
        assert reseal(admin).copies == 6

        everything_is_new(admin)
        assert admin.redis.hgetall(redis_keys.LANE_INFO + connection.id) == lane


class TestWhomMailsName:
    def test_it_comes_under_the_newest_key_too_in_both_stores(self, admins: Admins) -> None:
        admins.old.change_tenant("acme", reply_to="help@acme.example")
        admin = admins.open(NEW, OLD)
        done = reseal(admin)
        assert (done.values, done.copies, done.unopened) == (10, 6, ())
        everything_is_new(admin)
        text: Any = admin.redis.hget(redis_keys.TENANT + "acme", "reply_to")
        assert OPENS_NEW.open(base64.b64decode(text), owner="acme/reply_to") == b"help@acme.example"
        with admin.db() as db:
            assert admin.reply_to_of(registry.get_tenant(db, "acme")) == "help@acme.example"


class TestColumns:
    """Once one name stood for all columns of a row."""

    def as_before(self, admin: Admin) -> None:
        """Let everything in SQL be sealed as an older certmail did."""
        with admin.db() as db:
            rows = sealed_rows(db)
            for row in rows:
                if row.table != "deployment":
                    opened = {
                        n: open_from(admin.vault, v, row.owner, n) for n, v in row.values.items()
                    }
                    old = {
                        n: admin.vault.seal(value, owner=row.owner) for n, value in opened.items()
                    }
                    assert replace_sealed(db, row, old)

    def swap(self, admin: Admin) -> None:
        """Put a refresh token where a private key should be."""
        found = admin.connection("acme/linked")
        assert found.refresh_token is not None
        with admin.db() as db:
            where = tables.connections.c.id == found.id
            db.execute(
                update(tables.connections).where(where).values(private_key=found.refresh_token)
            )

    def test_a_value_in_another_column_does_not_open(self, admins: Admins) -> None:
        self.swap(admins.old)
        with pytest.raises(SealBroken, match="belongs to another owner"):
            admins.old.check_vault("acme/linked")

    def test_what_an_older_certmail_sealed_opens_and_is_renamed_with_the_next_rotation(
        self, admins: Admins
    ) -> None:
        admin = admins.old
        plain = opened(admin, admin.vault)
        self.as_before(admin)
        admin.projector.publish_missing()
        assert opened(admin, admin.vault) == plain
        done = reseal(admin)
        assert (done.values, done.unopened) == (8, ())

        with admin.db() as db:
            for row in sealed_rows(db):
                for column, value in row.values.items():
                    admin.vault.open(value, owner=owner_of(row.owner, column))

        for connection in ("acme/default", "acme/linked"):
            copied = copy_of(admin, admin.connection(connection), admin.vault)
            for column, value in sealed_in(copied).items():
                admin.vault.open(value, owner=owner_of(copied.owner, column))

        assert reseal(admin) == Resealed(0, 0, ())


class TestWhatCannotBeOpened:
    def test_a_missing_key_is_named_with_whom_it_concerns_and_the_rest_is_done(
        self, admins: Admins
    ) -> None:
        admin = admins.open(NEW, OLD)
        acme = admin.connection("acme/default")
        put(admin, acme, "private_key", Vault([OTHER]).seal(b"x", owner=acme.owner))
        done = reseal(admin)
        [unopened] = done.unopened

        assert (unopened.who, unopened.field, unopened.key) == (
            "connection acme/default",
            "private_key",
            "k-other",
        )
        assert (unopened.error.code, done.values) == ("vault_key_missing", 8)
        assert "'k-other'" in unopened.error.message
        assert "CERTMAIL_VAULT_KEYS" in unopened.error.remedy

    def test_without_the_old_key_nothing_is_touched(self, admins: Admins) -> None:
        admin = admins.open(NEW)
        before = in_sql(admin), copies(admin.redis)
        done = reseal(admin)
        assert (done.values, done.copies, len(done.unopened)) == (0, 0, 9)
        assert {each.error.code for each in done.unopened} == {"vault_key_missing"}
        assert (in_sql(admin), copies(admin.redis)) == before

    def test_with_another_key_under_its_id_neither(self, admins: Admins) -> None:
        admin = admins.open(NEW, (OLD[0], os.urandom(32)))
        before = in_sql(admin), copies(admin.redis)
        done = reseal(admin)
        assert (done.values, done.copies, len(done.unopened)) == (0, 0, 9)
        assert {each.error.code for each in done.unopened} == {"vault_mismatch"}
        assert all(each.error.remedy for each in done.unopened)
        assert (in_sql(admin), copies(admin.redis)) == before

    @pytest.mark.parametrize(
        ("source", "target"), [("acme/default", "beta/default"), ("acme/linked", "acme/default")]
    )
    def test_a_sealed_value_copied_to_another_connection_is_refused_and_left(
        self, admins: Admins, source: str, target: str
    ) -> None:
        admin = admins.open(NEW, OLD)
        stolen = admin.connection(source)
        value = stolen.private_key or stolen.refresh_token
        assert value is not None

        put(admin, admin.connection(target), "private_key", value)
        [unopened] = reseal(admin).unopened
        assert (unopened.who, unopened.field) == (f"connection {target}", "private_key")
        assert unopened.error.code == "vault_mismatch"
        assert admin.connection(target).private_key == value

    def test_so_is_one_under_the_newest_key(self, admins: Admins) -> None:
        admin = admins.open(OLD)
        value = admin.connection("acme/default").private_key
        assert value is not None
        put(admin, admin.connection("beta/default"), "private_key", value)
        [unopened] = reseal(admin).unopened
        assert (unopened.who, unopened.error.code) == ("connection beta/default", "vault_mismatch")

    def test_so_is_a_tenants_row_copied_to_another_tenant(self, admins: Admins) -> None:
        admin = admins.open(NEW, OLD)
        with admin.db() as db:
            stolen = registry.get_tenant(db, "acme").private_key
            db.execute(
                update(tables.tenants)
                .where(tables.tenants.c.id == "beta")
                .values(private_key=stolen)
            )

        [unopened] = reseal(admin).unopened
        assert (unopened.who, unopened.error.code) == ("tenant beta", "vault_mismatch")

        with admin.db() as db:
            assert (
                db.execute(select(tables.tenants.c.private_key)).scalars().all().count(stolen) == 1
            )

    def test_so_is_a_working_copy_given_to_another_connection(self, admins: Admins) -> None:
        acme, beta = (admins.old.connection(f"{tenant}/default") for tenant in TENANTS)
        admins.old.redis.copy(
            redis_keys.CONNECTION + acme.id, redis_keys.CONNECTION + beta.id, replace=True
        )
        with pytest.raises(SealBroken) as raised:
            copy_of(admins.old, beta, admins.old.vault)
        assert raised.value.code == "vault_mismatch"
        assert raised.value.remedy


class TestWrongKeys:
    """A process with the wrong keys leaves the working copy to those that have the right ones."""

    @pytest.mark.parametrize("wrong", [OTHER, (OLD[0], os.urandom(32))])
    def test_it_changes_nothing_of_a_connection_that_it_cannot_open(
        self, admins: Admins, wrong: tuple[str, bytes]
    ) -> None:
        admin = admins.open(wrong)
        before = in_sql(admin), copies(admin.redis)
        connection = admin.connection("acme/default")
        with pytest.raises(SealBroken) as raised:
            admin.save(connection.failing("grant_revoked", "link again", ""))
        assert raised.value.remedy

        with pytest.raises(SealBroken):
            admin.change_limits("acme/linked", {"per_day": 500})
        assert admin.connection("acme/linked").limits.per_day == GoogleLimits().per_day
        assert (in_sql(admin), copies(admin.redis)) == before

    def test_its_start_and_a_repair_leave_the_copies_and_the_limits_to_others(
        self, admins: Admins
    ) -> None:
        admin = admins.open(OTHER)
        before = copies(admin.redis)
        admin.projector.publish_limits()
        admin.projector.publish_missing()
        assert copies(admin.redis) == before
        assert admins.old.projector.publish_limits(), "there is still something to do"
        everything_opens(admins.old)

    def test_one_connection_that_cannot_be_opened_holds_up_no_other(self, admins: Admins) -> None:
        admin = admins.open(OLD)
        acme, beta = admin.connection("acme/linked"), admin.connection("beta/linked")
        put(admin, acme, "refresh_token", Vault([OTHER]).seal(b"x", owner=acme.owner))
        with admin.db() as db:
            registry.change_limits(db, acme.id, {"per_day": 500})
            registry.change_limits(db, beta.id, {"per_day": 500})
        admin.projector.publish_limits()
        assert copy_of(admin, acme, admin.vault) == acme, "as it was"
        assert copy_of(admin, beta, admin.vault).limits.per_day == 500

    def test_a_redis_that_was_lost_gets_the_lane_of_one_that_cannot_be_opened_too(
        self, admins: Admins
    ) -> None:
        admin = admins.open(OLD)
        acme = admin.connection("acme/linked")
        put(admin, acme, "refresh_token", Vault([OTHER]).seal(b"x", owner=acme.owner))
        admin.redis.flushall()
        assert admin.projector.publish_missing() == 4
        assert admin.redis.hget(redis_keys.LANE_INFO + acme.id, "state") == b"open"

    def test_a_value_that_does_not_open_beside_one_that_does_holds_up_nothing(
        self, admins: Admins
    ) -> None:
        admin = admins.open(NEW, OLD)
        acme = admin.connection("acme/default")
        lost = Vault([OTHER]).seal(b"x", owner=acme.owner)
        put(admin, acme, "next_private_key", lost)
        saved = admin.save(
            admin.connection("acme/default").failing("grant_revoked", "link again", "")
        )
        assert (saved.state, saved.next_private_key) == ("attention", lost)

        reseal(admin)
        assert old_keys(admin, datetime.now(UTC))[0].removable_at is not None
        assert copy_of(admin, acme, OPENS_NEW).next_private_key == lost


def everything_opens(admin: Admin) -> None:
    with admin.db() as db:
        connections = registry.list_connections(db)
    assert all(copy_of(admin, connection, admin.vault) == connection for connection in connections)


def put(admin: Admin, connection: Connection, column: str, value: bytes) -> None:
    with admin.db() as db:
        table = tables.connections
        db.execute(update(table).where(table.c.id == connection.id).values({column: value}))


class TestWhichKeysAreNeeded:
    now = datetime(2026, 11, 2, 9, tzinfo=UTC)

    def test_a_key_that_something_names_is_needed_and_one_of_tokens_for_as_long_as_they_live(
        self,
    ) -> None:
        found = judge(["k3", "k2", "k1"], {"k3"}, {"k3": 5.0, "k2": 90.0}, self.now)
        assert found == [
            OldKey("k3", None),
            OldKey("k2", self.now + timedelta(seconds=90)),
            OldKey("k1", self.now),
        ]

    def test_before_a_rotation_the_old_key_is_needed_and_after_it_is_not(
        self, admins: Admins
    ) -> None:
        admin = admins.open(NEW, OLD, OTHER)
        assert old_keys(admin, self.now) == [OldKey("k-old", None), OldKey("k-other", self.now)]
        reseal(admin)
        assert old_keys(admin, self.now) == [OldKey("k-old", self.now), OldKey("k-other", self.now)]

    @pytest.mark.parametrize("who", ["acme/default", "acme/linked"])
    def test_one_value_that_still_names_it_is_enough(self, admins: Admins, who: str) -> None:
        admin = admins.open(NEW, OLD)
        before = admin.connection(who)
        reseal(admin)
        column = "next_private_key" if before.next_private_key else "refresh_token"
        put(admin, before, column, getattr(before, column))
        assert old_keys(admin, self.now) == [OldKey("k-old", None)]

    def test_a_working_copy_that_still_names_it_within_is_enough(self, admins: Admins) -> None:
        admin = admins.open(NEW, OLD)
        fields: Any = admin.redis.hgetall(
            redis_keys.CONNECTION + admin.connection("acme/linked").id
        )
        reseal(admin)
        admin.redis.hset(redis_keys.CONNECTION + admin.connection("acme/linked").id, mapping=fields)
        assert old_keys(admin, self.now) == [OldKey("k-old", None)]

    def test_consents_under_way_and_tokens_need_theirs_until_they_end(self, admins: Admins) -> None:
        admin = admins.open(NEW, OLD)
        reseal(admin)
        client = OAuthClient("id", "secret")
        begin_link(
            admin.redis,
            admins.old.vault,
            admin.connection("acme/linked"),
            client,
            page="https://google.example",
            redirect_uri="http://here",
        )

        assert 1790 < seconds_needed(admin.redis)["k-old"] <= 1800
        token = admins.old.vault.seal(b"{}", owner="acme/1/token/1/send")
        admin.redis.set(f"{redis_keys.TOKEN}1:1:send", token, ex=3000)
        admin.redis.set(
            f"{redis_keys.TOKEN}1:2:send",
            admin.vault.seal(b"{}", owner="acme/1/token/2/send"),
            ex=3500,
        )
        assert 2990 < seconds_needed(admin.redis)["k-old"] <= 3000
        assert 3490 < seconds_needed(admin.redis)["k-new"] <= 3500
        [old] = old_keys(admin, self.now)
        assert old.removable_at is not None
        assert 2990 < (old.removable_at - self.now).total_seconds() <= 3000
