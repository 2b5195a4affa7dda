"""Operators' accounts, on both databases: what is kept, and what nobody can make without a vault key."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from redis import Redis
from sqlalchemy import select, text, update

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.operators.accounts import (
    add_operator,
    change_operator,
    list_operators,
    rehash,
    remove_operator,
    reset_operator,
    switch_operator,
)
from certmail_config.admin.vault_key_usage import keys_named
from certmail_config.admin.vault_rotation import reseal
from certmail_config.base import redis_keys
from certmail_config.base.errors import Refused, WrongUse
from certmail_config.operators.operator import Operator
from certmail_config.operators.passwords import fits, hash_password
from certmail_config.operators.roles import OperatorRole
from certmail_config.settings import Settings
from certmail_config.sql import tables
from certmail_config.sql.operators import rows as operators
from certmail_config.sql.operators.rows import find_operator

PASSWORD = "correct horse battery"
OLD, NEW = ("k-old", os.urandom(32)), ("k-new", os.urandom(32))
ADMIN, OPERATOR, VIEWER = OperatorRole.ADMIN, OperatorRole.OPERATOR, OperatorRole.VIEWER


@pytest.fixture
def settings(redis_url: str, ready_database: str, tmp_path: Path) -> Settings:
    return Settings(
        redis_url=redis_url, database_url=ready_database, data_dir=tmp_path, vault_keys=(OLD,)
    )


@pytest.fixture
def admin(redis: Redis, settings: Settings) -> Iterator[Admin]:
    with open_admin(settings, actor="root on the command line") as made:
        yield made


def found(admin: Admin, name: str) -> Operator | None:
    with admin.db() as db:
        return find_operator(db, admin.vault, name=name)


def events(redis: Redis) -> list[tuple[str, ...]]:
    entries: Any = redis.xrange(redis_keys.EVENTS)
    names = (b"type", b"tenant", b"reason", b"by")
    return [tuple(fields[name].decode() for name in names) for _, fields in entries]


class TestAccounts:
    def test_one_is_made_and_found_with_its_password(self, admin: Admin) -> None:
        made = add_operator(admin, " Ann ", VIEWER, password=PASSWORD, address="Ann@Acme.Example")
        assert (made.name, made.role, made.address) == ("ann", VIEWER, "ann@acme.example")
        assert fits(PASSWORD, made.password)
        assert found(admin, "ann") == made
        assert list_operators(admin) == [made]

    def test_names_and_addresses_are_one_operators_alone(self, admin: Admin) -> None:
        add_operator(admin, "ann", VIEWER, password=PASSWORD, address="ann@acme.example")
        with pytest.raises(Refused, match="already"):
            add_operator(admin, "ANN", ADMIN, password=PASSWORD)
        with pytest.raises(Refused, match="operator 'ann'"):
            add_operator(admin, "bob", ADMIN, password=None, address="ANN@acme.example")
        add_operator(admin, "bob", ADMIN, password=PASSWORD)
        with pytest.raises(Refused, match="operator 'ann'"):
            change_operator(admin, "bob", address="ann@acme.example")

    @pytest.mark.parametrize("name", ["", "-ann", "ann smith", "ann\n", "a" * 64, "änn"])
    def test_what_is_no_name_is_refused(self, admin: Admin, name: str) -> None:
        if name == "ann\n":
            name = "a\nnn"
        with pytest.raises(WrongUse, match="no name"):
            add_operator(admin, name, VIEWER, password=PASSWORD)

    def test_who_could_not_sign_in_at_all_is_not_made(self, admin: Admin) -> None:
        with pytest.raises(WrongUse, match="could not sign in"):
            add_operator(admin, "ann", VIEWER, password=None)

    def test_a_role_changes_and_sessions_go_on(self, admin: Admin) -> None:
        before = add_operator(admin, "ann", VIEWER, password=PASSWORD)
        after = change_operator(admin, "ann", role=ADMIN)
        assert (after.role, after.generation) == (ADMIN, before.generation)

    def test_all_else_ends_sessions(self, admin: Admin) -> None:
        add_operator(admin, "ann", VIEWER, password=PASSWORD)
        generations = [
            reset_operator(admin, "ann", PASSWORD + "!").generation,
            switch_operator(admin, "ann", disabled=True).generation,
            switch_operator(admin, "ann", disabled=True).generation,
            switch_operator(admin, "ann", disabled=False).generation,
            change_operator(admin, "ann", address="ann@acme.example").generation,
        ]
        assert generations == [2, 3, 3, 4, 5]

    def test_a_name_that_is_given_again_is_somebody_else(self, admin: Admin) -> None:
        before = add_operator(admin, "ann", VIEWER, password=PASSWORD)
        remove_operator(admin, "ann")
        assert found(admin, "ann") is None
        assert add_operator(admin, "ann", VIEWER, password=PASSWORD).id != before.id
        with pytest.raises(Refused, match="no operator 'bob'"):
            remove_operator(admin, "bob")

    def test_the_last_admin_can_neither_be_removed_nor_shut_out_nor_made_less(
        self, admin: Admin
    ) -> None:
        add_operator(admin, "ann", ADMIN, password=PASSWORD)
        add_operator(admin, "bob", VIEWER, password=PASSWORD)
        for act in (
            lambda: remove_operator(admin, "ann"),
            lambda: switch_operator(admin, "ann", disabled=True),
            lambda: change_operator(admin, "ann", role=VIEWER),
        ):
            with pytest.raises(Refused, match="last admin"):
                act()

        add_operator(admin, "eve", ADMIN, password=PASSWORD)
        switch_operator(admin, "eve", disabled=True)
        with pytest.raises(Refused, match="last admin"):
            remove_operator(admin, "ann")
        change_operator(admin, "bob", role=ADMIN)
        remove_operator(admin, "ann")

    def test_but_where_there_is_a_common_password_somebody_can_still_sign_in(
        self, admin: Admin, settings: Settings
    ) -> None:
        add_operator(admin, "ann", ADMIN, password=PASSWORD)
        with_password = settings.model_copy(update={"operator_password": SecretStr(PASSWORD)})
        with open_admin(with_password) as other:
            remove_operator(other, "ann")
        assert list_operators(admin) == []

    def test_a_new_cost_is_kept_unless_the_account_changed_meanwhile(self, admin: Admin) -> None:
        made = add_operator(admin, "ann", VIEWER, password=PASSWORD)
        other = hash_password(PASSWORD, iterations=3)
        rehash(admin, made, other)
        kept = found(admin, "ann")
        assert kept is not None
        assert (kept.password, kept.generation) == (other, made.generation)

        reset_operator(admin, "ann", "another password")
        rehash(admin, kept, hash_password(PASSWORD))
        now = found(admin, "ann")
        assert now is not None
        assert fits("another password", now.password)

    def test_each_step_is_on_record_with_who_did_it(self, admin: Admin, redis: Redis) -> None:
        add_operator(admin, "ann", VIEWER, password=PASSWORD)
        change_operator(admin, "ann", role=OPERATOR)
        reset_operator(admin, "ann", PASSWORD)
        switch_operator(admin, "ann", disabled=True)
        switch_operator(admin, "ann", disabled=False)
        remove_operator(admin, "ann")
        by = "root on the command line"
        assert events(redis) == [
            ("operator_added", "*", "ann, viewer", by),
            ("operator_changed", "*", "ann, operator", by),
            ("operator_reset", "*", "ann", by),
            ("operator_disabled", "*", "ann", by),
            ("operator_enabled", "*", "ann", by),
            ("operator_removed", "*", "ann", by),
        ]


class TestWhoeverCanWriteSQL:
    """But has no vault key."""

    def test_reads_no_role_password_or_address(self, admin: Admin) -> None:
        made = add_operator(admin, "ann", ADMIN, password=PASSWORD, address="ann@acme.example")
        with admin.db() as db:
            row = db.execute(select(tables.operators)).one()
        assert set(row._mapping.keys()) == {"id", "name", "sealed", "created_at"}
        for secret in ("admin", "argon2", "ann@acme.example", str(made.password)):
            assert secret.encode() not in row.sealed

    def test_can_make_no_operator(self, admin: Admin, caplog: pytest.LogCaptureFixture) -> None:
        with admin.db() as db:
            db.execute(
                text("INSERT INTO operators VALUES ('1', 'eve', :sealed, '2026-11-28 00:00:00')"),
                {"sealed": b'{"name": "eve", "role": "admin"}'},
            )
        assert found(admin, "eve") is None
        assert list_operators(admin) == []
        assert [each.message for each in caplog.records] == ["operator_not_written_by_certmail"] * 2

    def test_can_give_nobody_anothers_rights(self, admin: Admin) -> None:
        add_operator(admin, "ann", ADMIN, password=PASSWORD)
        add_operator(admin, "eve", VIEWER, password="eve's own password")
        table = tables.operators
        with admin.db() as db:
            anns = db.execute(select(table.c.sealed).where(table.c.name == "ann")).scalar_one()
            db.execute(update(table).where(table.c.name == "eve").values(sealed=anns))
        assert found(admin, "eve") is None
        assert found(admin, "ann") is not None

    def test_can_give_an_account_no_other_name(self, admin: Admin) -> None:
        add_operator(admin, "ann", ADMIN, password=PASSWORD)
        with admin.db() as db:
            db.execute(update(tables.operators).values(name="eve"))
        assert found(admin, "eve") is None

    def test_what_they_left_can_be_removed(self, admin: Admin) -> None:
        add_operator(admin, "ann", ADMIN, password=PASSWORD)
        with admin.db() as db:
            db.execute(update(tables.operators).values(sealed=b"spoilt"))
        remove_operator(admin, "ann")
        with admin.db() as db:
            assert not operators.any_operator(db)


def test_accounts_come_under_the_newest_vault_key(admin: Admin, settings: Settings) -> None:
    made = add_operator(admin, "ann", ADMIN, password=PASSWORD)
    both = settings.model_copy(update={"vault_keys": (NEW, OLD)})
    with open_admin(both) as rotating:
        assert reseal(rotating).unopened == ()
        assert keys_named(rotating) == {"k-new"}
    with open_admin(settings.model_copy(update={"vault_keys": (NEW,)})) as after:
        assert found(after, "ann") == made


def test_the_row_names_who_cannot_be_opened(admin: Admin, settings: Settings) -> None:
    add_operator(admin, "ann", ADMIN, password=PASSWORD)
    with open_admin(settings.model_copy(update={"vault_keys": (NEW,)})) as other:
        [unopened] = reseal(other).unopened
    assert (unopened.who, unopened.field, unopened.key) == ("operator ann", "sealed", "k-old")
