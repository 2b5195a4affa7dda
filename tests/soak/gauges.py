"""What is measured every few seconds: of each process from /proc, of Redis and SQL from themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from redis import Redis
from sqlalchemy import Connection, func, select, text

from certmail_config.base import redis_keys
from certmail_config.sql import tables
from soak.system import System

MB: Final = 1024 * 1024


def measure(system: System) -> dict[str, float]:
    """All values by their names, memory in MB."""
    found: dict[str, float] = {}
    for name, process in system.processes.items():
        pid = process if isinstance(process, int) else process.pid
        found |= {f"{name}: {what}": value for what, value in _process(pid)}

    found |= {f"Redis: {what}": value for what, value in _redis(system.place.admin.redis)}
    with system.place.admin.db() as db:
        found |= {f"SQL: {what}": value for what, value in _sql(db)}
    return found


def _process(pid: int) -> Iterator[tuple[str, float]]:
    """Memory, descriptors and threads of a process; of one that has ended, nothing."""
    place = Path(f"/proc/{pid}")
    try:
        memory = _numbers((place / "smaps_rollup").read_text())
        status = _numbers((place / "status").read_text())
        descriptors = sum(1 for _ in (place / "fd").iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return

    yield "RSS", memory["Rss"] / 1024
    yield "PSS", memory["Pss"] / 1024
    yield "descriptors", descriptors
    yield "threads", status["Threads"]


def _numbers(lines: str) -> dict[str, float]:
    """The lines of the form `Name:  number …`."""
    parts = (line.partition(":") for line in lines.splitlines())
    words = ((name, rest.split()) for name, _, rest in parts)
    return {name: float(rest[0]) for name, rest in words if rest and rest[0].isdecimal()}


def _redis(redis: Redis) -> Iterator[tuple[str, float]]:
    info = redis.info()
    yield "memory used", info["used_memory"] / MB
    yield "keys", redis.dbsize()
    yield "clients", info["connected_clients"]
    yield "events kept", redis.xlen(redis_keys.EVENTS)
    yield "unfinished", redis.zcard(redis_keys.DUE)


def _sql(db: Connection) -> Iterator[tuple[str, float]]:
    yield "reminders", db.execute(select(func.count()).select_from(tables.deliveries)).scalar_one()
    yield "events", db.execute(select(func.count()).select_from(tables.events)).scalar_one()
    if db.dialect.name == "postgresql":
        size = db.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    else:
        pages = db.execute(text("PRAGMA page_count")).scalar_one()
        size = pages * db.execute(text("PRAGMA page_size")).scalar_one()
    yield "size", size / MB
