"""What is sealed in SQL, row by row, and putting the same under another key in its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, and_, select, update
from sqlalchemy import Connection as Db

from certmail_config.operators.operator import COLUMN as OF_OPERATOR
from certmail_config.operators.operator import owner_of_operator
from certmail_config.sql import tables
from certmail_config.tenants.sealed_fields import (
    OF_CONNECTION,
    OF_DEPLOYMENT,
    OF_TENANT,
    OF_WEBHOOK,
    webhook_row,
)

_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "deployment": OF_DEPLOYMENT,
    "tenants": OF_TENANT,
    "connections": OF_CONNECTION,
    "operators": (OF_OPERATOR,),
    "webhook_endpoints": OF_WEBHOOK,
}
_TABLES: Final[Mapping[str, Table]] = {
    "deployment": tables.deployment,
    "tenants": tables.tenants,
    "connections": tables.connections,
    "operators": tables.operators,
    "webhook_endpoints": tables.webhook_endpoints,
}


@dataclass(frozen=True, slots=True)
class SealedRow:
    """A row's sealed values by column.

    `owner` and the column's name open them, `who` is its name for people.
    """

    table: str
    id: str
    owner: str
    who: str
    values: Mapping[str, bytes]


def sealed_rows(db: Db) -> list[SealedRow]:
    """All of them: tenants, connections, operators, webhooks, and the deployment itself."""
    return [
        *_tenants(db),
        *_connections(db),
        *_operators(db),
        *_webhooks(db),
        *_deployment(db),
    ]


def sealed_again(db: Db, row: SealedRow) -> SealedRow | None:
    """The row as it is now; None if it is gone."""
    table = _TABLES[row.table]
    columns = [table.c[name] for name in _COLUMNS[row.table]]
    found = db.execute(select(*columns).where(_is(table, row))).mappings().one_or_none()
    return None if found is None else replace(row, values=_present(found))


def replace_sealed(db: Db, row: SealedRow, values: Mapping[str, bytes]) -> bool:
    """Write these columns if they still are what the row says; says whether they were.

    The version stays.
    """
    table = _TABLES[row.table]
    same = [table.c[name] == row.values[name] for name in values]
    changed = db.execute(update(table).where(_is(table, row), and_(*same)).values(**values))
    return changed.rowcount == 1


def _is(table: Table, row: SealedRow) -> ColumnElement[bool]:
    return table.c.id == (1 if row.table == "deployment" else row.id)


def _deployment(db: Db) -> list[SealedRow]:
    columns = [tables.deployment.c[name] for name in OF_DEPLOYMENT]
    return [
        SealedRow("deployment", "1", "deployment", "the deployment", _present(row))
        for row in db.execute(select(*columns)).mappings()
    ]


def _tenants(db: Db) -> list[SealedRow]:
    table = tables.tenants
    columns = [table.c.id, *(table.c[name] for name in OF_TENANT)]
    return [
        SealedRow("tenants", row["id"], row["id"], f"tenant {row['id']}", _present(row))
        for row in db.execute(select(*columns).order_by(table.c.id)).mappings()
    ]


def _connections(db: Db) -> list[SealedRow]:
    table = tables.connections
    columns = [table.c.id, table.c.tenant, table.c.name, *(table.c[name] for name in OF_CONNECTION)]

    return [
        SealedRow(
            "connections",
            row["id"],
            f"{row['tenant']}/{row['id']}",
            f"connection {row['tenant']}/{row['name']}",
            _present(row),
        )
        for row in db.execute(select(*columns).order_by(table.c.tenant, table.c.name)).mappings()
    ]


def _operators(db: Db) -> list[SealedRow]:
    table = tables.operators
    columns = [table.c.id, table.c.name, table.c[OF_OPERATOR]]
    return [
        SealedRow(
            "operators",
            row["id"],
            owner_of_operator(row["id"]),
            f"operator {row['name']}",
            _present(row),
        )
        for row in db.execute(select(*columns).order_by(table.c.name)).mappings()
    ]


def _webhooks(db: Db) -> list[SealedRow]:
    table = tables.webhook_endpoints
    columns = [table.c.id, table.c.url, *(table.c[name] for name in OF_WEBHOOK)]
    return [
        SealedRow(
            "webhook_endpoints",
            row["id"],
            webhook_row(row["id"], row["url"]),
            f"webhook {row['id']}",
            _present(row),
        )
        for row in db.execute(select(*columns).order_by(table.c.id)).mappings()
    ]


def _present(row: Mapping[Any, Any]) -> dict[str, bytes]:
    """The columns that hold bytes: what is sealed, as far as it is there."""
    return {name: value for name, value in row.items() if isinstance(value, bytes)}
