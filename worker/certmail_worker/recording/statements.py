"""The recorder's statements: made once, and carried out for many rows at a time.

They go to the driver as they are: what SQLAlchemy does with each parameter took most of the
recorder's time. SQLite takes the rows one by one, within this process. PostgreSQL takes all as one
JSON text, which costs both sides a third of what it does to send them one by one.

The columns and their types are the tables'. Times come as texts in UTC (rows.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import to_json
from sqlalchemy import BigInteger, Boolean, Column, Integer, Table
from sqlalchemy import Connection as Db

from certmail_config.sql import tables
from certmail_config.sql.tables import UtcDateTime
from certmail_worker.recording.folding import Known
from certmail_worker.recording.rows import REPORTED, Row

_TYPES: Final[Mapping[type[object], str]] = {
    BigInteger: "bigint",
    Integer: "integer",
    Boolean: "boolean",
    UtcDateTime: "timestamp",
}
"""PostgreSQL's names of the types that are no text.

Texts are not cut to the column's length: one that is too long is refused.
"""


@dataclass(frozen=True, slots=True)
class Bulk:
    """One statement for any number of rows, in the words of each database."""

    sqlite: str
    postgresql: str

    def run(self, db: Db, rows: Sequence[Row]) -> None:
        """Carry it out; raises SQLAlchemyError, ValueError."""
        if not rows:
            return
        if db.dialect.name == "sqlite":
            db.exec_driver_sql(self.sqlite, rows)
        else:
            db.exec_driver_sql(self.postgresql, (to_json(rows).decode(),))


def _insert(table: Table, conflict: str = "") -> Bulk:
    """Add rows with a value for each column."""
    values = {column.name: column for column in table.c}
    into = f"INSERT INTO {table.name} ({', '.join(values)})"
    # Names and types are the tables' own.
    rows = f"SELECT {', '.join(_theirs(values).values())} FROM {_recordset(values)}"  # noqa: S608

    return Bulk(
        f"{into} VALUES ({', '.join(_ours(values).values())}) {conflict}",
        # Without a condition `ON` would be taken for that of a join.
        f"{into} {rows} WHERE true {conflict}",
    )


def _update(
    table: Table, changes: Mapping[str, str], more: Mapping[str, Column[Any]] | None = None
) -> Bulk:
    """Set columns of the row with the same key to expressions, with the row's values in braces.

    Values are of columns; `more` are others, with a column of their type.
    """
    key = [column.name for column in table.primary_key]
    values = {name: table.c[name] for name in (*key, *changes)} | dict(more or {})
    where = " AND ".join(f"{table.name}.{name} = {{{name}}}" for name in key)
    sets = ", ".join(f"{name} = {expression}" for name, expression in changes.items())
    update = f"UPDATE {table.name} SET {sets}"  # noqa: S608 - as above

    return Bulk(
        f"{update} WHERE {where}".format_map(_ours(values)),
        f"{update} FROM {_recordset(values)} WHERE {where}".format_map(_theirs(values)),
    )


def _ours(values: Iterable[str]) -> dict[str, str]:
    """A row's values as SQLite is given them."""
    return {name: f":{name}" for name in values}


def _theirs(values: Mapping[str, Column[Any]]) -> dict[str, str]:
    """A row's values as PostgreSQL finds them in its recordset `r`."""
    zone = " AT TIME ZONE 'UTC'"
    return {
        name: f"(r.{name}{zone if isinstance(column.type, UtcDateTime) else ''})"
        for name, column in values.items()
    }


def _recordset(values: Mapping[str, Column[Any]]) -> str:
    types = ", ".join(
        f"{name} {_TYPES.get(type(column.type), 'text')}" for name, column in values.items()
    )
    return f"json_to_recordset(%s) AS r({types})"


def _as_given(*names: str) -> dict[str, str]:
    return {name: f"{{{name}}}" for name in names}


def _unless_null(table: Table, *names: str) -> dict[str, str]:
    return {name: f"coalesce({{{name}}}, {table.name}.{name})" for name in names}


_CHANGES: Final = _as_given("state", "reason", "held", "updated_at") | _unless_null(
    tables.deliveries, "decided_by"
)

ADD_EVENTS: Final = _insert(tables.events)
ADD_MESSAGES: Final = _insert(tables.webhook_messages, "ON CONFLICT (endpoint, ms, n) DO NOTHING")
ADD_DELIVERIES: Final = _insert(tables.deliveries, "ON CONFLICT (job) DO NOTHING")
CHANGE_DELIVERIES: Final = _update(tables.deliveries, _CHANGES)
CHANGE_REQUESTED: Final = _update(tables.deliveries, _CHANGES | _as_given("mailbox"))
MARK_DOUBLED: Final = _update(tables.deliveries, {"possible_duplicate": "true"})
ADD_ATTEMPTS: Final = _insert(tables.attempts)
REPEAT_ATTEMPTS: Final = _update(tables.attempts, _as_given("worker", "begun_at"))
END_ATTEMPTS: Final = _update(
    tables.attempts,
    {
        **_as_given("outcome", "reason"),
        # An end that no worker reports is the time of the event.
        "ended_at": "coalesce({reported_end}, attempts.ended_at, {event_at})",
        **_unless_null(tables.attempts, *REPORTED),
    },
    dict.fromkeys(("reported_end", "event_at"), tables.attempts.c.ended_at),
)

_LOOK_UP: Final = (
    "SELECT deliveries.job, attempts.n FROM deliveries "
    "LEFT JOIN attempts ON attempts.job = deliveries.job WHERE deliveries.job IN "
)


def look_up(db: Db, jobs: Collection[str]) -> Known:
    """Those of these deliveries that are on record, each with the numbers of its attempts."""
    if not jobs:
        return {}

    ours, theirs = "(SELECT value FROM json_each(?))", "(SELECT json_array_elements_text(%s))"
    query = _LOOK_UP + (ours if db.dialect.name == "sqlite" else theirs)
    known: dict[str, set[int]] = {}
    for job, n in db.exec_driver_sql(query, (to_json(list(jobs)).decode(),)):
        attempts = known.setdefault(job, set())
        if n is not None:
            attempts.add(n)

    return known
