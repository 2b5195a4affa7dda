"""Backups of either database, as its operator makes and restores them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import make_url

from support.servers.postgres import Postgres


def back_up(database: str, to: Path, server: Postgres | None) -> None:
    """Copy a database while it is in use."""
    if server is None:
        _copy(_file(database), to)
    else:
        to.write_bytes(server.tool("pg_dump", "--format=custom", _name(database)))


def put_back(database: str, backup: Path, server: Postgres | None) -> None:
    """Make it what it was; nothing uses it meanwhile."""
    if server is None:
        _copy(backup, _file(database))
    else:
        options = ("--clean", "--if-exists", "--single-transaction", f"--dbname={_name(database)}")
        server.tool("pg_restore", *options, given=backup.read_bytes())


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


def _file(database: str) -> Path:
    return Path(make_url(database).database or "")


def _name(database: str) -> str:
    return make_url(database).database or ""
