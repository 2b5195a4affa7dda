"""Writing many rows at once: a campaign has a hundred thousand reviewers.

PostgreSQL takes as long to read a statement as to write a row: there many rows are one statement,
which has a list for each column. SQLite runs one statement for each row without a round trip.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    Column,
    FromClause,
    String,
    Table,
    Text,
    bindparam,
    column,
    func,
    insert,
    select,
    update,
)
from sqlalchemy import Connection as Db
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.dml import Insert, Update

AT_ONCE: Final = 1000
"""Rows in one statement."""


def insert_many(db: Db, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows, each of which has the same columns."""
    if not rows:
        return
    names = list(rows[0])
    if db.dialect.name == "sqlite":
        db.execute(insert(table), rows)
    else:
        given = _given(table, names)
        adding = insert(table).from_select(names, select(*(given.c[name] for name in names)))
        _in_pages(db, adding, names, rows)


def update_many(
    db: Db,
    table: Table,
    keys: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    also: Mapping[str, Any] | None = None,
) -> None:
    """Write the columns of `rows`, each into the row that has the same `keys`.

    `also` is written into all of them.
    """
    if not rows:
        return
    names = list(rows[0])
    if db.dialect.name == "sqlite":
        new = {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in names}
        changing = _changing(table, keys, new, also or {})
        db.execute(changing, [{f"new_{name}": each[name] for name in names} for each in rows])
    else:
        given = _given(table, names)
        changing = _changing(table, keys, {name: given.c[name] for name in names}, also or {})
        _in_pages(db, changing, names, rows)


def _changing(
    table: Table, keys: Sequence[str], new: Mapping[str, Any], also: Mapping[str, Any]
) -> Update:
    where = [table.c[name] == new[name] for name in keys]
    values = {name: each for name, each in new.items() if name not in keys}
    return update(table).where(*where).values({**values, **also})


def _given(table: Table, names: Sequence[str]) -> FromClause:
    """Rows that are given as a list for each column."""
    lists = [bindparam(f"new_{name}", type_=_list_of(table.c[name])) for name in names]
    columns = [column(name, table.c[name].type) for name in names]
    return func.unnest(*lists).table_valued(*columns, name="given").render_derived()


def _list_of(of: Column[Any]) -> ARRAY[Any]:
    # A text that is cast to a length is cut to it, without a word.
    return ARRAY(Text() if isinstance(of.type, String) else of.type)


def _in_pages(
    db: Db, statement: Insert | Update, names: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> None:
    for start in range(0, len(rows), AT_ONCE):
        page = rows[start : start + AT_ONCE]
        db.execute(statement, {f"new_{name}": [each[name] for each in page] for name in names})
