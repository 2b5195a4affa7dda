"""Writing many rows at once: a campaign has a hundred thousand reviewers.

PostgreSQL takes as long to read a statement as to write a row, so many rows are one statement
there; SQLite runs one statement for each row without a round trip.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Column, String, Table, Text, bindparam, column, func, insert, update
from sqlalchemy import Connection as Db
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.dml import Update

AT_ONCE: Final = 1000
"""Rows in one statement."""


def insert_many(db: Db, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows, each of which has the same columns."""
    if not rows:
        return
    if db.dialect.name == "sqlite":
        db.execute(insert(table), rows)
        return
    # With an answer to each of them SQLAlchemy writes many into one statement.
    db.execute(insert(table).returning(next(iter(table.primary_key))), rows)


def update_many(
    db: Db, table: Table, keys: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Write the columns of `rows`, each into the row that has the same `keys`."""
    if not rows:
        return
    names = list(rows[0])
    if db.dialect.name == "sqlite":
        changing = _one_by_one(table, keys, names)
        db.execute(changing, [{f"new_{name}": each[name] for name in names} for each in rows])
        return

    statement = _together(table, keys, names)
    for start in range(0, len(rows), AT_ONCE):
        page = rows[start : start + AT_ONCE]
        db.execute(statement, {f"new_{name}": [each[name] for each in page] for name in names})


def _one_by_one(table: Table, keys: Sequence[str], names: Sequence[str]) -> Update:
    given = {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in names}
    where = [table.c[name] == given[name] for name in keys]
    values = {name: each for name, each in given.items() if name not in keys}
    return update(table).where(*where).values(values)


def _together(table: Table, keys: Sequence[str], names: Sequence[str]) -> Update:
    """All rows as the columns of a table, which PostgreSQL joins with ours."""
    lists = [bindparam(f"new_{name}", type_=_list_of(table.c[name])) for name in names]
    columns = [column(name, table.c[name].type) for name in names]
    given = func.unnest(*lists).table_valued(*columns, name="given").render_derived()
    where = [table.c[name] == given.c[name] for name in keys]
    values = {name: given.c[name] for name in names if name not in keys}
    return update(table).where(*where).values(values)


def _list_of(of: Column[Any]) -> ARRAY[Any]:
    # A text that is cast to a length is cut to it, without a word.
    return ARRAY(Text() if isinstance(of.type, String) else of.type)
