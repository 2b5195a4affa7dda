"""A copy of Redis that lies beside it and was not read.

With `appendonly yes` a server starts empty beside a `dump.rdb`.

What is seen here decides nothing; it is said before anything is declared lost, since that is final.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from redis import Redis
from redis.exceptions import ResponseError

from certmail_config.settings import Settings

LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
LOSS_IS_FINAL: Final = "What is declared lost is lost for good, and what could have left is held; docs/restoring.md says how a copy is put back."
ASK_FOR_COPY: Final = (
    "Redis is empty. Is there a copy of it, a dump.rdb or append-only files? With appendonly yes a server starts empty "
    f"beside a dump.rdb. {LOSS_IS_FINAL}"
)


@dataclass(frozen=True, slots=True)
class Dump:
    """A snapshot that the server has neither read nor written."""

    path: Path
    size: int
    written_at: datetime

    @property
    def sentence(self) -> str:
        """Where it is, and why it counts for nothing yet."""
        return (
            f"{self.path} ({self.size:,} bytes, of {self.written_at.isoformat(timespec='seconds')}) was not read: with appendonly "
            "yes a server reads its append-only files alone, and starts empty beside a dump.rdb."
        )


def find_dump(redis: Redis, settings: Settings) -> Dump | None:
    """A snapshot in the server's own folder, if that can be looked into from here.

    Raises RedisError.
    """
    if not _is_here(settings.redis_url):
        return None

    config = _config(redis)
    if config.get("appendonly") != "yes" or not config.get("dir") or not config.get("dbfilename"):
        return None

    path = Path(config["dir"]) / config["dbfilename"]
    try:
        found = path.stat()
    except OSError:
        return None

    if _has_saved(redis):
        return None  # it wrote it itself, of what it has

    return Dump(path, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))


def loss_warning(redis: Redis, settings: Settings) -> str:
    """What must be ruled out before the content of an empty server is declared lost.

    Raises RedisError.
    """
    found = find_dump(redis, settings)
    return f"{found.sentence} {LOSS_IS_FINAL}" if found else ASK_FOR_COPY


def _has_saved(redis: Redis) -> bool:
    """Whether the server has written a snapshot since it began.

    Redis 6.2 says only when, and calls its beginning a save, too.
    """
    info = redis.info("persistence")
    if "rdb_saves" in info:
        return bool(info["rdb_saves"])
    seconds, _ = redis.time()
    began = seconds - redis.info("server")["uptime_in_seconds"]
    return bool(info["rdb_last_save_time"] > began + 1)


def _is_here(url: str | None) -> bool:
    if url is None:
        return True
    parts = urlsplit(url)
    return parts.scheme == "unix" or parts.hostname in LOCAL_HOSTS


def _config(redis: Redis) -> dict[str, str]:
    """What of the configuration may be read; nothing where it is hidden."""
    found: dict[str, str] = {}
    for name in ("appendonly", "dir", "dbfilename"):
        try:
            answer: Any = redis.config_get(name)
        except ResponseError:
            continue
        found |= answer
    return found
