"""Databases with this version's tables, lent to one test after the other and emptied in between.

Making one and dropping it takes a server four times as long as emptying it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import uuid4

import psycopg
from psycopg import sql

from support.servers.postgres import OWNER, Postgres

_LEAVE: Final = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_EMPTY: Final = """
DO $$
DECLARE
  name text; filled boolean; all_filled text[] := '{}';
BEGIN
  FOR name IN SELECT quote_ident(tablename) FROM pg_tables
    WHERE schemaname = 'public' AND tablename <> 'alembic_version'
  LOOP
    EXECUTE 'SELECT EXISTS (SELECT 1 FROM ' || name || ')' INTO filled;
    IF filled THEN all_filled := all_filled || name; END IF;
  END LOOP;
  IF all_filled <> '{}' THEN
    EXECUTE 'TRUNCATE ' || array_to_string(all_filled, ', ') || ' CASCADE';
  END IF;
  FOR name IN SELECT quote_ident(sequencename) FROM pg_sequences WHERE last_value IS NOT NULL
  LOOP
    EXECUTE 'ALTER SEQUENCE ' || name || ' RESTART';
  END LOOP;
END $$
"""
_SHAPE: Final = """
SELECT md5(string_agg(part, ';' ORDER BY part)) FROM (
  SELECT concat_ws(' ', c.relname, c.relkind, a.attname, a.atttypid, a.atttypmod, a.attnotnull)
    FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relnamespace = 'public'::regnamespace
  UNION ALL
  SELECT concat_ws(' ', conname, pg_get_constraintdef(oid)) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
  UNION ALL
  SELECT concat_ws(' ', indexdef) FROM pg_indexes WHERE schemaname = 'public'
  UNION ALL
  SELECT array_to_string(setconfig, ' ') FROM pg_db_role_setting
  UNION ALL
  SELECT version_num FROM alembic_version
) AS parts (part)
"""


class EmptiedDatabases:
    """Of one server, as its database `pattern` is; a test that changed more than rows keeps its own."""

    def __init__(self, server: Postgres, pattern: str) -> None:
        self._server, self._pattern = server, pattern
        self._free: list[str] = []
        self._shape = self._shape_of(pattern)

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The URL of an empty one."""
        name = self._free.pop() if self._free else self._another()
        yield self._server.url(name)

        if self._emptied(name):
            self._free.append(name)
        else:
            self._server.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _another(self) -> str:
        name = f"t{uuid4().hex}"
        self._server.execute(f"CREATE DATABASE {name} TEMPLATE {self._pattern} STRATEGY FILE_COPY")
        return name

    def _emptied(self, name: str) -> bool:
        with self._connected(name) as db:
            db.execute(_LEAVE)
            if _asked(db) != self._shape:
                return False
            db.execute(_EMPTY)
        return True

    def _shape_of(self, name: str) -> str:
        with self._connected(name) as db:
            return _asked(db)

    def _connected(self, name: str) -> psycopg.Connection:
        where = f"host={self._server.folder} user={OWNER} dbname={name}"
        return psycopg.connect(where, autocommit=True)


def _asked(db: psycopg.Connection) -> str:
    try:
        found = db.execute(sql.SQL(_SHAPE)).fetchone()
    except psycopg.errors.UndefinedTable:
        return "no tables"
    assert found is not None
    return str(found[0])
