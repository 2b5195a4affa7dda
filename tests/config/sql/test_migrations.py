"""Migrations from the first version on, with what was in the tables then.

On SQLite and on PostgreSQL.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection as Db
from sqlalchemy import Engine, MetaData, inspect, select, text

from certmail_config.base.errors import StoresUnreachable
from certmail_config.sql import engine as sql_engine
from certmail_config.sql import registry, tables
from certmail_config.sql.engine import HEAD, check_version, open_database, upgrade
from certmail_config.tenants.models import GoogleLimits
from support.servers.postgres import Postgres

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
UPGRADE = """
import sys
from certmail_config.sql.engine import open_database, upgrade
engine = open_database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
upgrade(engine)
"""

OF_0001: Final[dict[str, dict[str, Any]]] = {
    "deployment": {"id": 1, "salt": b"\x01"},
    "tenants": {
        "id": "acme", "name": "", "state": "active", "public_key": b"\x02", "private_key": b"\x03", "salt": b"\x04", "version": 1,
        "created_at": NOW,
    },
    "connections": {
        "id": "c1", "tenant": "acme", "name": "default", "kind": "service_provider_app", "state": "active",
        "mailbox": "reviews@acme.example", "refresh_token": b"\x05", "verify": False, "units_per_minute": 15_000, "in_flight": 2,
        "version": 3, "created_at": NOW,
    },
    "deliveries": {
        "job": "j1", "tenant": "acme", "connection": "c1", "kind": "reminder", "campaign": "q4",
        "recipient": "ann@people.example", "mailbox": "reviews@acme.example", "state": "accepted", "reason": None, "held": False,
        "possible_duplicate": False, "enqueued_at": NOW, "send_at": None, "expires_at": NOW, "updated_at": NOW,
    },
    "attempts": {"job": "j1", "n": 1, "worker": "w", "begun_at": NOW, "ended_at": NOW, "outcome": "accepted", "http_status": 200, "gmail_id": "g"},
    "events": {"stream_ms": 1, "stream_n": 0, "type": "settled", "at": NOW, "tenant": "acme", "job": "j1", "data": "{}"},
    "recorder": {"id": 1, "cursor": "1-0"},
}  # fmt: skip
"""A row of each table, as the first version wrote it."""


@pytest.fixture
def empty(database: str) -> Iterator[Engine]:
    engine = open_database(database)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(ready_database: str) -> Iterator[Engine]:
    engine = open_database(ready_database)
    yield engine
    engine.dispose()


def test_they_make_exactly_the_tables_that_the_code_uses(engine: Engine) -> None:
    with engine.connect() as db:
        context = MigrationContext.configure(db, opts={"compare_server_default": True})
        [(change, index)] = compare_metadata(context, tables.metadata)
        # Only a migration names it: with its condition, which each database writes in its own
        # words.
        assert (change, index.name) == ("remove_index", "ix_events_of_tenant")
        assert [column.name for column in index.columns] == ["tenant", "stream_ms", "stream_n"]


def test_the_newest_one_is_the_one_that_the_code_asks_for() -> None:
    folder = Path(sql_engine.__file__).parent / "migrations"
    script = ScriptDirectory(str(folder))
    assert script.get_heads() == [HEAD]
    assert script.get_bases() == ["0001"]


def test_an_upgraded_database_is_of_this_version_and_stays_so(engine: Engine) -> None:
    check_version(engine)
    upgrade(engine)
    check_version(engine)


def test_an_empty_one_is_refused_with_what_to_do(empty: Engine) -> None:
    with pytest.raises(StoresUnreachable) as raised:
        check_version(empty)
    assert raised.value.code == "database_outdated"
    assert f"at version none; this certmail needs {HEAD}" in raised.value.message
    assert "certmail db upgrade" in raised.value.remedy


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_an_empty_one_that_cannot_hold_every_language_is_refused(
    postgres_server: Postgres, encoding: str
) -> None:
    name = f"in_{encoding.lower()}"
    made = f"TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
    postgres_server.execute(f"CREATE DATABASE {name} {made}")
    engine = open_database(postgres_server.url(name))

    with pytest.raises(StoresUnreachable) as raised:
        upgrade(engine)
    engine.dispose()
    assert raised.value.code == "database_encoding"
    assert f"encoding is {encoding}" in raised.value.message
    assert "ENCODING 'UTF8'" in raised.value.remedy


def test_one_of_another_version_is_refused_by_its_number(engine: Engine) -> None:
    with engine.begin() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with pytest.raises(StoresUnreachable, match="at version 0000"):
        check_version(engine)


@pytest.mark.parametrize("use", [check_version, upgrade])
def test_one_of_a_newer_release_is_left_alone(
    engine: Engine, use: Callable[[Engine], None]
) -> None:
    with engine.begin() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoresUnreachable) as raised:
        use(engine)
    assert raised.value.code == "database_newer"
    assert f"at version 9999, of a newer certmail; this one knows {HEAD}" in raised.value.message


def test_an_upgrade_that_fails_leaves_nothing_half_made(empty: Engine) -> None:
    with empty.begin() as db:
        db.execute(text("CREATE TABLE connections (id INTEGER)"))  # the last that is made
    with pytest.raises(StoresUnreachable, match="already exists"):
        upgrade(empty)
    assert inspect(empty).get_table_names() == ["connections"]
    with empty.begin() as db:
        db.execute(text("DROP TABLE connections"))
    upgrade(empty)
    check_version(empty)


def test_a_file_that_another_process_has_locked_is_waited_for(tmp_path: Path) -> None:
    empty = open_database(f"sqlite:///{tmp_path}/certmail.sqlite")

    with (
        closing(sqlite3.connect(tmp_path / "certmail.sqlite")) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        other.execute("BEGIN IMMEDIATE")  # the lock for which SQLite itself does not wait
        waiting = pool.submit(upgrade, empty)
        time.sleep(0.1)
        assert not waiting.done()
        other.rollback()
        waiting.result(timeout=10)

    check_version(empty)
    empty.dispose()


def test_processes_that_come_at_once_make_the_tables_once(database: str, empty: Engine) -> None:
    command = [sys.executable, "-c", UPGRADE, database]
    pipe = subprocess.PIPE
    processes = [subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) for _ in range(3)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"

    results = []

    for process in processes:
        assert process.stdin is not None
        process.stdin.close()

    for process in processes:
        assert process.stderr is not None
        assert process.stdout is not None
        results.append((process.wait(30), process.stderr.read()))
        process.stderr.close()
        process.stdout.close()

    assert results == [(0, b"")] * 3
    check_version(empty)


def test_what_the_first_version_wrote_is_there_still_and_can_be_read(empty: Engine) -> None:
    _upgrade_to(empty, "0001")
    _write(empty, OF_0001)
    with pytest.raises(StoresUnreachable, match="at version 0001"):
        check_version(empty)
    upgrade(empty)
    check_version(empty)
    assert _kept(empty) == OF_0001

    with empty.connect() as db:
        found = registry.get_connection(db, "acme/default")
        assert db.execute(select(tables.attempts.c.begun_at)).scalar_one() == NOW

    assert found.limits == GoogleLimits(15_000, 2), "the rest are Google's documented limits"
    assert (found.id, found.state, found.mailbox, found.version) == (
        "c1",
        "active",
        "reviews@acme.example",
        3,
    )


def test_all_can_be_taken_back_one_by_one_and_made_again(empty: Engine) -> None:
    _upgrade_to(empty, "0001")
    _write(empty, OF_0001)
    upgrade(empty)
    for version in range(int(HEAD) - 1, 0, -1):
        with empty.begin() as db:
            command.downgrade(_alembic(db), f"{version:04}")
        assert _kept(empty) == OF_0001
    upgrade(empty)
    check_version(empty)
    assert _kept(empty) == OF_0001


def _write(engine: Engine, rows: dict[str, dict[str, Any]]) -> None:
    found = MetaData()
    found.reflect(engine)
    with engine.begin() as db:
        for table in found.sorted_tables:
            if table.name in rows:
                db.execute(table.insert().values(**rows[table.name]))


def _kept(engine: Engine) -> dict[str, dict[str, Any]]:
    """The rows, as far as the first version knew their columns."""
    kept = {}
    with engine.connect() as db:
        for name, row in OF_0001.items():
            known = tables.metadata.tables[name]
            columns = [known.c[column] for column in row]
            kept[name] = dict(db.execute(select(*columns)).mappings().one())
    return kept


def _alembic(db: Db) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(sql_engine.__file__).parent / "migrations"))
    config.attributes["connection"] = db
    return config


def _upgrade_to(engine: Engine, revision: str) -> None:
    with engine.begin() as db:
        if engine.dialect.name == "sqlite":
            db.exec_driver_sql("BEGIN IMMEDIATE")
        command.upgrade(_alembic(db), revision)
