"""What doctor says of operators: who is not certmail's, and a way in that names nobody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import update

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.operators.accounts import add_operator
from certmail_config.operators.roles import OperatorRole
from certmail_config.settings import Settings
from certmail_config.sql import tables
from certmail_worker.doctor.checks.findings import Severity
from certmail_worker.doctor.checks.operators import operators


@pytest.fixture
def admin(redis: Redis, redis_url: str, data_dir: Path) -> Iterator[Admin]:
    with open_admin(Settings(redis_url=redis_url, data_dir=data_dir)) as made:
        yield made


def found(admin: Admin, **given: str) -> list[tuple[Severity, str]]:
    settings = Settings(data_dir=admin.settings.data_dir, **given)
    return [
        (each.severity, each.message) for each in operators(admin.engine, admin.vault, settings)
    ]


def add(admin: Admin, name: str) -> None:
    add_operator(admin, name, OperatorRole.ADMIN, password=None, address=f"{name}@acme.example")


def test_where_nobody_has_an_account_nothing_is_said(admin: Admin) -> None:
    assert found(admin, operator_password="the password of settings") == []


def test_accounts_are_counted(admin: Admin) -> None:
    add(admin, "ann")
    add(admin, "bob")
    assert found(admin) == [(Severity.OK, "2 have accounts for the console.")]


def test_a_password_beside_them_is_a_warning(admin: Admin) -> None:
    add(admin, "ann")
    [warning, _] = found(admin, operator_password="the password of settings")
    assert warning[0] is Severity.WARNING
    assert "CERTMAIL_OPERATOR_PASSWORD" in warning[1]


def test_who_was_not_written_by_certmail_is_named(admin: Admin) -> None:
    add(admin, "ann")
    add(admin, "eve")
    with admin.db() as db:
        table = tables.operators
        db.execute(update(table).where(table.c.name == "eve").values(sealed=b"her own"))
    [(severity, said)] = found(admin)
    assert (severity, "operators eve were not written" in said) == (Severity.ERROR, True)
