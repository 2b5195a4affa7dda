"""Taking what was erased out of the stores' own files.

It stays in a write-ahead log or an append-only file otherwise.

What a store does not let us do is said, and nobody is kept from anything by it. What was copied
elsewhere (backups, replicas' files, archived logs) is out of reach.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from redis import Redis
from redis.exceptions import NoPermissionError, RedisError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from certmail_config.admin.admin import Admin

PATIENCE_SECONDS: Final = 60.0
PAUSE_SECONDS: Final = 0.05
IN_LOG: Final = "SQLite's write-ahead log still holds it, since others are reading: it goes when the log begins anew."
UNDER_WAY: Final = "Redis still writes its append-only file anew: what was erased is in the former one until it has."
NOT_ALLOWED: Final = "Redis does not let certmail's user run {what}, so its append-only file still holds what was erased: run BGREWRITEAOF there."
FAILED: Final = (
    "Redis could not write its append-only file anew, which still holds what was erased: {why}"
)


def wipe(admin: Admin, *, patience: float = PATIENCE_SECONDS) -> list[str]:
    """Take it out of both stores' files.

    Gives a sentence for each place that still holds what was erased.
    """
    deadline = time.monotonic() + patience
    sentences = (_truncate_log(admin.engine, deadline), _rewrite(admin.redis, deadline))
    return [sentence for sentence in sentences if sentence]


def _truncate_log(engine: Engine, deadline: float) -> str:
    """Move all of SQLite's log into its file, and make it empty.

    In the file deleted content is overwritten (engine.py).
    """
    if engine.dialect.name != "sqlite":
        return ""

    try:
        with engine.connect() as db:
            while db.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]:
                db.rollback()
                if time.monotonic() > deadline:
                    return IN_LOG
                time.sleep(PAUSE_SECONDS)
    except SQLAlchemyError:
        return IN_LOG

    return ""


def _rewrite(redis: Redis, deadline: float) -> str:
    """Let the server write its append-only file anew, and wait until it has.

    Of what it holds now.
    """
    try:
        if not _persistence(redis)["aof_enabled"]:
            return ""
        # One that is under way began before, and keeps what has gone since.
        if not _until(lambda: _idle(redis), deadline):
            return UNDER_WAY

        redis.bgrewriteaof()
        if not _until(lambda: _idle(redis), deadline):
            return UNDER_WAY

        status = _persistence(redis)["aof_last_bgrewrite_status"]
    except NoPermissionError as error:
        return NOT_ALLOWED.format(
            what="BGREWRITEAOF" if "bgrewriteaof" in str(error).lower() else "INFO"
        )
    except RedisError as error:  # a managed server has no such command
        return FAILED.format(why=error)

    return "" if status == "ok" else FAILED.format(why="see its log")


def _persistence(redis: Redis) -> dict[str, Any]:
    found: dict[str, Any] = redis.info("persistence")
    return found


def _idle(redis: Redis) -> bool:
    found = _persistence(redis)
    return not found["aof_rewrite_in_progress"] and not found["aof_rewrite_scheduled"]


def _until(true: Callable[[], bool], deadline: float) -> bool:
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE_SECONDS)
    return True
