"""Opening the database, and bringing its tables up to date."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from certmail_config.base.errors import SettingsError, StoresUnreachable
from certmail_config.settings import Settings
from certmail_config.stores.connect import database_url

BUSY_SECONDS = 15
BUSY_SECONDS_AT_ONCE = 4
"""For how many seconds a command that a person looks at waits for another program.

It waits for SQLite's file to be let go of; a commit of ours takes less.
"""
IDLE_SECONDS = 15
"""How long a transaction of a process that was frozen may hold up the others' record."""
NOTICED_SOON: Final[dict[str, Any]] = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""Options by which a server that vanished without a word is noticed within half a minute.

They are in seconds, and the last in milliseconds.
"""
UNPREPARED: Final[dict[str, Any]] = {"prepare_threshold": None}
"""The option by which statements are not prepared on the server.

A pgbouncer hands the next transaction to another connection, which has not heard of them.

Measured on the recorder's batches, preparing them saves nothing.
"""
EVERY_LANGUAGE: Final[dict[str, Any]] = {"client_encoding": "utf8"}
"""The option by which text comes and goes as UTF-8, whatever the database was made with.

Without it psycopg takes the database's own: bytes instead of text where that is SQL_ASCII.
"""
_SAFE: Final = (
    f"SELECT set_config('idle_in_transaction_session_timeout', '{IDLE_SECONDS}s', true), "
    "set_config('synchronous_commit', CASE current_setting('synchronous_commit') "
    "WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true)"
)
_HELD: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
UPGRADE_LOCK = 0x636572746D61696C
"""PostgreSQL's number for "who upgrades these tables".

It is `certmail` in ASCII, so that nobody else means something by it.
"""
HEAD = "0019"
"""The newest migration; a test holds it against the folder."""


def open_database(url: str, *, patient: bool = True) -> Engine:
    """Make an engine; nothing is connected yet.

    Raises SettingsError for a URL that cannot be used.
    """
    busy = BUSY_SECONDS if patient else BUSY_SECONDS_AT_ONCE

    try:
        parsed = make_url(url)
        sqlite = parsed.get_backend_name() == "sqlite"
        arguments: dict[str, Any] = (
            {"timeout": busy} if sqlite else NOTICED_SOON | UNPREPARED | EVERY_LANGUAGE
        )
        engine = create_engine(
            parsed,
            connect_args=arguments,
            pool_pre_ping=not sqlite,
            hide_parameters=True,  # errors end up in logs, and parameters hold addresses
        )
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        raise SettingsError(
            "invalid_settings",
            f"CERTMAIL_DATABASE_URL cannot be used: {type(error).__name__}.",
            "Write postgresql+psycopg://user:password@host/database, or sqlite:////path/to/file.",
        ) from None

    if sqlite:
        event.listen(engine, "connect", partial(_prepare_sqlite, busy=busy))
    else:
        event.listen(engine, "begin", _prepare_postgres)

    return engine


def _prepare_postgres(connection: Connection) -> None:
    """Require that what is recorded survives a crash, since it is trimmed from Redis then.

    A stricter setting stays.

    A process that is frozen within a transaction, and so no longer the keeper, must not hold up the
    next. Both hold for one transaction only: behind a pgbouncer that hands out its connections by
    the transaction, the next may be anybody's.
    """
    connection.exec_driver_sql(_SAFE)


def _prepare_sqlite(connection: Any, _: object, *, busy: float) -> None:
    cursor = connection.cursor()
    deadline = time.monotonic() + busy

    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")  # readers never wait for the recorder
            break
        except sqlite3.OperationalError as error:
            # Of several that use it first at once, SQLite does not let one wait for another here.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)

    cursor.execute("PRAGMA synchronous=FULL")  # what is recorded survives a power cut
    cursor.execute("PRAGMA foreign_keys=ON")
    # What is erased is overwritten, and not only forgotten.
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()


def upgrade(engine: Engine) -> None:
    """Bring the tables to this version's form, in one transaction.

    Of several processes one does it. Raises StoresUnreachable where a newer release has been here,
    or where a new database cannot hold every language's names.
    """
    found = _version(engine)
    if found == HEAD:
        return
    _refuse_newer(found)
    if found is None:
        check_encoding(engine)
    # Imported only where they are needed: a tenth of a second for every command otherwise.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    # ConfigParser reads % as its own.
    config.set_main_option(
        "script_location", str(Path(__file__).parent / "migrations").replace("%", "%%")
    )
    with reachable(engine), engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            # Python's driver leaves CREATE TABLE outside any transaction unless one was begun by
            # hand.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({UPGRADE_LOCK})")
        if _noted(connection) == HEAD:
            return  # somebody else was faster
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check_encoding(engine: Engine) -> None:
    """Raise StoresUnreachable for a PostgreSQL database that does not hold text as UTF-8.

    Debian makes its databases so (SQL_ASCII) on a machine that has no locale set. Events with names
    that do not fit could not be recorded.
    """
    if engine.dialect.name == "sqlite":
        return

    with reachable(engine), engine.connect() as connection:
        found = connection.execute(text("SELECT current_setting('server_encoding')")).scalar_one()
    if found != "UTF8":
        raise StoresUnreachable(
            "database_encoding",
            f"The database's encoding is {found}; names of every language need UTF8.",
            "Make another: CREATE DATABASE certmail OWNER certmail TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'.",
        )


def check_version(engine: Engine) -> None:
    """Raise StoresUnreachable unless the tables are of this version."""
    found = _version(engine)
    _refuse_newer(found)
    if found != HEAD:
        raise StoresUnreachable(
            "database_outdated",
            f"The database is at version {found or 'none'}; this certmail needs {HEAD}.",
            "Run `certmail db upgrade` once.",
        )


def _refuse_newer(found: str | None) -> None:
    """Raise StoresUnreachable where the tables are of a newer release: nobody here knows its form."""
    if found is not None and found > HEAD:
        raise StoresUnreachable(
            "database_newer",
            f"The database is at version {found}, of a newer certmail; this one knows {HEAD}.",
            "Start the newer release, or see docs/upgrading.md for the way back.",
        )


def _version(engine: Engine) -> str | None:
    """The version that Alembic noted in the database; None before the first."""
    with reachable(engine), engine.connect() as connection:
        return _noted(connection)


def _noted(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


@contextmanager
def ready_database(settings: Settings, *, patient: bool = False) -> Iterator[Engine]:
    """The database with tables of this version.

    The data directory's own is brought up to date, any other must be.

    Disposed of at the end. Raises StoresUnreachable, SettingsError.
    """
    engine = open_database(database_url(settings), patient=patient)

    try:
        if settings.database_url is None:
            upgrade(engine)
        else:
            check_version(engine)
        yield engine
    finally:
        engine.dispose()


@contextmanager
def reachable(engine: Engine) -> Iterator[None]:
    """Turn a database that cannot be used into one sentence; the URL's password is left out."""
    try:
        yield
    except SQLAlchemyError as error:
        where = engine.url.render_as_string(hide_password=True)

        if getattr(getattr(error, "orig", None), "sqlite_errorcode", 0) & 0xFF in _HELD:
            raise StoresUnreachable(
                "database_busy",
                f"The database {where} is held by another program: a backup, or somebody who looks into it.",
                "Run this again once that has let go; `fuser` or `lsof` with the file's name say who it is. A backup with SQLite's own "
                "`.backup` holds nobody up.",
            ) from error

        cause = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()[0]
        raise StoresUnreachable(
            "database_unreachable",
            f"The database {where} cannot be used: {cause}",
            "Check CERTMAIL_DATABASE_URL and the server.",
        ) from error
