"""What is configured, in SQL, through the same tables and migrations.

On SQLite and on PostgreSQL.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Connection as Db
from sqlalchemy import Engine, event, func, insert, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from certmail_config.base.errors import (
    Refused,
    SealBroken,
    SettingsError,
    StoresUnreachable,
    WrongUse,
)
from certmail_config.base.ids import ConnectionId
from certmail_config.crypto.sealing import Opener, Sealer
from certmail_config.crypto.vault import Vault
from certmail_config.sql import registry, tables
from certmail_config.sql.engine import check_version, open_database, reachable, upgrade
from certmail_config.tenants.models import Connection, ConnectionKind, ConnectionState, GoogleLimits
from certmail_config.tenants.sealed_fields import open_from
from support.servers.postgres import Postgres

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
UNASKABLE: Final = ("a\0b", "\udcff", "ünbekannt", "x" * 100_000)
"""Bytes of a command line that are no UTF-8, say: a database refuses them, or their driver does."""
vault = Vault([("k1", os.urandom(32))])


@pytest.fixture
def engine(ready_database: str) -> Iterator[Engine]:
    engine = open_database(ready_database)
    yield engine
    engine.dispose()


@pytest.fixture
def db(engine: Engine) -> Iterator[Db]:
    with engine.begin() as db:
        yield db


@pytest.fixture
def draft(db: Db) -> Connection:
    return registry.add_tenant(db, vault, "acme", NOW)[1]


class TestOpening:
    def test_sqlite_keeps_what_was_committed_and_checks_what_refers_to_what(
        self, tmp_path: Path
    ) -> None:
        engine = open_database(f"sqlite:///{tmp_path}/certmail.sqlite")
        with engine.connect() as db:
            for pragma, value in {
                "journal_mode": "wal",
                "synchronous": 2,
                "foreign_keys": 1,
            }.items():
                assert db.execute(text(f"PRAGMA {pragma}")).scalar_one() == value

        engine.dispose()

    @pytest.mark.parametrize(("set_to", "used"), [("off", "on"), ("remote_apply", "remote_apply")])
    def test_postgresql_keeps_what_was_committed_whatever_its_own_settings_say(
        self, postgres_server: Postgres, set_to: str, used: str
    ) -> None:
        postgres_server.execute(f"CREATE DATABASE commit_{used}")
        postgres_server.execute(f"ALTER DATABASE commit_{used} SET synchronous_commit = {set_to}")
        engine = open_database(postgres_server.url(f"commit_{used}"))
        with engine.connect() as db:
            assert db.execute(text("SHOW synchronous_commit")).scalar_one() == used
            assert (
                db.execute(text("SHOW idle_in_transaction_session_timeout")).scalar_one() == "15s"
            )

        engine.dispose()

    @pytest.mark.parametrize(
        "url", ["nonsense", "", "hunter2://x", "mysql+nothing://ann:hunter2@host/db"]
    )
    def test_an_url_that_makes_no_sense_is_a_wrong_setting_and_not_repeated(self, url: str) -> None:
        with pytest.raises(SettingsError) as raised:
            open_database(url)
        assert "CERTMAIL_DATABASE_URL" in raised.value.message
        assert "hunter2" not in str(raised.value.as_json())

    def test_a_database_that_cannot_be_reached_is_named_without_its_password(self) -> None:
        engine = open_database("postgresql+psycopg://ann:hunter2@127.0.0.1:1/db")
        with pytest.raises(StoresUnreachable) as raised:
            check_version(engine)
        engine.dispose()
        assert raised.value.code == "database_unreachable"
        assert "127.0.0.1:1/db" in raised.value.message
        assert "hunter2" not in str(raised.value.as_json())
        assert "\n" not in raised.value.message

    def test_a_file_that_is_no_database_is_said_to_be_that(self, tmp_path: Path) -> None:
        (tmp_path / "x.sqlite").write_bytes(b"something else" * 100)
        engine = open_database(f"sqlite:///{tmp_path}/x.sqlite")
        with pytest.raises(StoresUnreachable, match="file is not a database"):
            upgrade(engine)
        engine.dispose()

    def test_what_the_database_refuses_inside_is_one_sentence_too(self, engine: Engine) -> None:
        with pytest.raises(
            StoresUnreachable, match=r'no such table: nowhere|relation "nowhere" does not exist'
        ) as raised:
            _read_nowhere(engine)
        assert raised.value.code == "database_unreachable"


def _read_nowhere(engine: Engine) -> None:
    with reachable(engine), engine.begin() as db:
        db.execute(text("SELECT * FROM nowhere"))


class TestTimes:
    def insert(self, db: Db, at: datetime) -> None:
        row = {"stream_ms": 1, "stream_n": 0, "type": "opened", "at": at, "data": "{}"}
        db.execute(insert(tables.events).values(**row))

    @pytest.mark.parametrize("hours", [0, 5, -8])
    def test_a_time_of_any_zone_comes_back_as_the_same_time_in_utc(
        self, db: Db, hours: int
    ) -> None:
        at = datetime(2026, 12, 31, 23, 30, 1, 250000, tzinfo=timezone(timedelta(hours=hours)))
        self.insert(db, at)
        found = db.execute(select(tables.events.c.at)).scalar_one()
        assert found == at
        assert found.tzinfo is UTC

    def test_they_are_compared_as_times(self, db: Db) -> None:
        self.insert(db, NOW)
        later = NOW.astimezone(timezone(timedelta(hours=-9))) + timedelta(seconds=1)
        assert db.execute(select(tables.events.c.at).where(tables.events.c.at < later)).all()

    def test_a_time_without_a_zone_is_not_stored(self, db: Db) -> None:
        with pytest.raises(StatementError, match="aware"):
            self.insert(db, NOW.replace(tzinfo=None))


class TestTenants:
    def test_a_new_one_has_a_pair_a_salt_and_a_draft_connection(self, db: Db) -> None:
        tenant, connection = registry.add_tenant(db, vault, "acme", NOW)
        assert (tenant.id, tenant.state, tenant.version) == ("acme", "active", 1)
        assert (len(tenant.public_key), len(tenant.salt)) == (32, 32)
        assert (connection.tenant, connection.name, connection.state) == (
            "acme",
            "default",
            "draft",
        )
        assert (connection.kind, connection.limits, connection.version) == (
            None,
            GoogleLimits(6000, 4),
            1,
        )
        assert registry.get_tenant(db, "acme") == tenant
        assert registry.list_connections(db) == [connection]

    def test_its_private_half_is_sealed_for_it_and_opens_what_the_public_one_seals(
        self, db: Db
    ) -> None:
        tenant, _ = registry.add_tenant(db, vault, "acme", NOW)
        payload = Sealer(tenant.public_key).seal(b"text", tenant="acme", job="j", now=0)
        private = open_from(vault, tenant.private_key, "acme", "private_key")
        assert Opener(private).open(payload, tenant="acme", job="j") == b"text"
        with pytest.raises(SealBroken):
            open_from(vault, tenant.private_key, "beta", "private_key")

    def test_it_is_called_by_its_name_or_else_by_its_id(self, db: Db) -> None:
        named, _ = registry.add_tenant(db, vault, "acme", NOW, name="Acme Corporation")
        plain, _ = registry.add_tenant(db, vault, "beta", NOW)
        assert (named.organisation, plain.organisation) == ("Acme Corporation", "beta")
        assert registry.get_tenant(db, "acme").name == "Acme Corporation"

    def test_two_have_nothing_in_common(self, db: Db) -> None:
        one, other = (registry.add_tenant(db, vault, name, NOW)[0] for name in ("acme", "beta"))
        assert one.salt != other.salt
        assert one.public_key != other.public_key

    def test_an_id_that_is_taken_is_refused_and_the_first_one_unchanged(
        self, engine: Engine
    ) -> None:
        with engine.begin() as db:
            first, _ = registry.add_tenant(db, vault, "acme", NOW)
        with engine.begin() as db, pytest.raises(Refused) as raised:
            registry.add_tenant(db, vault, "acme", NOW)
        assert raised.value.code == "tenant_exists"
        with engine.begin() as db:
            assert registry.list_tenants(db) == [first]
            assert len(registry.list_connections(db)) == 1

    def test_they_are_listed_by_id(self, db: Db) -> None:
        for name in ("beta", "acme", "gamma"):
            registry.add_tenant(db, vault, name, NOW)
        assert [tenant.id for tenant in registry.list_tenants(db)] == ["acme", "beta", "gamma"]

    def test_an_unknown_one_is_refused_by_its_name(self, db: Db) -> None:
        with pytest.raises(Refused, match="'acme'") as raised:
            registry.get_tenant(db, "acme")
        assert raised.value.code == "unknown_tenant"
        assert raised.value.remedy

    @pytest.mark.parametrize("name", UNASKABLE)
    def test_a_name_that_no_database_can_hold_is_unknown_too(self, db: Db, name: str) -> None:
        with pytest.raises(Refused) as raised:
            registry.get_tenant(db, name)
        assert raised.value.code == "unknown_tenant"

    def test_of_many_only_the_one_that_is_asked_for_is_read(self, db: Db) -> None:
        for name in ("acme", "beta", "gamma"):
            registry.add_tenant(db, vault, name, NOW)
        asked: list[str] = []
        event.listen(db, "before_cursor_execute", lambda *given: asked.append(str(given[3])))
        registry.get_tenant(db, "beta")
        assert len(asked) == 1
        assert "beta" in asked[0]

    def test_when_it_was_made_is_on_record(self, db: Db, draft: Connection) -> None:
        assert db.execute(select(tables.tenants.c.created_at)).scalar_one() == NOW
        assert db.execute(select(tables.connections.c.created_at)).scalar_one() == NOW


class TestConnections:
    FULL = Connection(
        ConnectionId(""), "acme", "default",
        kind=ConnectionKind.CUSTOMER_OWNED_APP, state=ConnectionState.ATTENTION, code="key_unknown", message="m", remedy="r",
        mailbox="reviews@acme.example", service_account="sa@p.iam.gserviceaccount.com", private_key=b"\x01sealed",
        certificate="PEM", not_after=NOW, key_id="abc", next_private_key=b"\x03sealed", next_certificate="NEXT",
        next_not_after=NOW, refused_since=NOW, sub="1100", refresh_token=b"\x02sealed", verify=True,
    )  # fmt: skip

    def test_everything_about_one_is_kept(self, db: Db, draft: Connection) -> None:
        full = replace(self.FULL, id=draft.id)
        blank = {field.name for field in fields(full) if getattr(full, field.name) == field.default}
        assert blank <= {"version", "limits"}, "every field is tried, limits below"
        saved = registry.save_connection(db, full)
        assert saved == replace(full, version=2)
        assert registry.get_connection(db, draft.id) == saved

    def test_it_is_found_by_its_id_and_by_tenant_and_name(self, db: Db, draft: Connection) -> None:
        assert registry.get_connection(db, draft.id) == draft
        assert registry.get_connection(db, "acme/default") == draft

    @pytest.mark.parametrize(
        "name",
        [
            "",
            "acme",
            "acme/other",
            "other/default",
            "acme/default/x",
            "0199",
            *UNASKABLE,
            "acme/\0",
            "acme/\udcff",
        ],
    )
    def test_an_unknown_one_is_refused_by_its_name(
        self, db: Db, draft: Connection, name: str
    ) -> None:
        with pytest.raises(Refused) as raised:
            registry.get_connection(db, name)
        assert raised.value.code == "unknown_connection"
        assert repr(name) in raised.value.message

    def test_of_two_who_change_it_at_once_the_second_is_refused(
        self, db: Db, draft: Connection
    ) -> None:
        registry.save_connection(db, replace(draft, mailbox="first@acme.example"))
        with pytest.raises(Refused) as raised:
            registry.save_connection(db, replace(draft, mailbox="second@acme.example"))
        assert raised.value.code == "changed_meanwhile"
        found = registry.get_connection(db, draft.id)
        assert (found.mailbox, found.version) == ("first@acme.example", 2)

    def test_each_change_gives_it_the_next_version(self, db: Db, draft: Connection) -> None:
        saved = draft
        for version in (2, 3, 4):
            saved = registry.save_connection(db, saved)
            assert saved.version == version

    def test_limits_are_changed_one_by_one_and_the_version_stays(
        self, db: Db, draft: Connection
    ) -> None:
        limits = GoogleLimits(15000, 2, 500, 600_000, 40_000_000, 7)
        assert not set(asdict(limits).items()) & set(asdict(GoogleLimits()).items()), (
            "every limit is tried"
        )

        for name, value in asdict(limits).items():
            before = registry.get_connection(db, draft.id)
            changed = registry.change_limits(db, draft.id, {name: value})
            assert changed == replace(before, limits=replace(before.limits, **{name: value}))

        assert registry.get_connection(db, draft.id) == replace(draft, limits=limits)

    def test_limits_that_make_no_sense_are_wrong_use_and_change_nothing(
        self, db: Db, draft: Connection
    ) -> None:
        with pytest.raises(WrongUse, match="per_day is 0"):
            registry.change_limits(db, draft.id, {"in_flight": 2, "per_day": 0})
        assert registry.get_connection(db, draft.id) == draft

    def test_limits_of_nothing_are_refused(self, db: Db) -> None:
        with pytest.raises(Refused) as raised:
            registry.change_limits(db, ConnectionId("nope"), {"per_day": 500})
        assert raised.value.code == "unknown_connection"

    def test_who_saves_what_was_read_before_does_not_undo_limits(
        self, db: Db, draft: Connection
    ) -> None:
        registry.change_limits(db, draft.id, {"per_day": 500})
        saved = registry.save_connection(db, replace(draft, mailbox="late@acme.example"))
        assert (saved.mailbox, saved.limits, saved.version) == (
            "late@acme.example",
            GoogleLimits(per_day=500),
            2,
        )

    def test_more_of_them_are_listed_by_tenant_and_name(self, db: Db, draft: Connection) -> None:
        registry.add_connection(db, "acme", "apac", NOW)
        registry.add_tenant(db, vault, "aaa", NOW)
        found = [
            (connection.tenant, connection.name) for connection in registry.list_connections(db)
        ]
        assert found == [("aaa", "default"), ("acme", "apac"), ("acme", "default")]
        assert {connection.tenant for connection in registry.list_connections(db, "acme")} == {
            "acme"
        }
        assert registry.list_connections(db, "nobody") == []

    def test_one_of_a_tenants_is_found_by_its_name(self, db: Db, draft: Connection) -> None:
        apac = registry.add_connection(db, "acme", "apac", NOW)
        assert registry.find_connection(db, "acme", "apac") == apac
        assert registry.find_connection(db, "acme", "emea") is None
        assert registry.find_connection(db, "beta", "apac") is None

    def test_no_two_of_a_tenant_have_one_name(self, db: Db, draft: Connection) -> None:
        with pytest.raises(IntegrityError):
            registry.add_connection(db, "acme", "default", NOW)

    def test_none_belongs_to_nobody(self, db: Db) -> None:
        with pytest.raises(IntegrityError):
            registry.add_connection(db, "nobody", "default", NOW)


class TestTheDeploymentsSalt:
    def test_it_is_made_once(self, engine: Engine) -> None:
        with engine.begin() as db:
            salt = registry.deployment_salt(db)
        with engine.begin() as db:
            assert registry.deployment_salt(db) == salt
            assert db.execute(select(func.count()).select_from(tables.deployment)).scalar_one() == 1
        assert len(salt) == 32
