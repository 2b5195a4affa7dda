"""Readiness: whether this worker can deliver, and what else is missing.

It can where it takes doorbells and Redis lets it begin. A database or a Google that is away, a
tenant or a service that stands still are said beside it, and withdraw no worker: all would be
withdrawn at once, and no other could do better.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from certmail_config.base import redis_keys
from certmail_config.status import behind

OK: Final = behind.OK
REDIS_SECONDS: Final = 2.0
"""Redis that takes longer to answer is said to be slow."""
UNCHECKED: Final = "not checked since it started, so nothing leaves (`certmail doctor` says why)"


@dataclass(frozen=True, slots=True)
class WorkerReadiness:
    """Whether this worker can deliver, and every check by name: `ok`, or what is wrong."""

    ready: bool
    checks: dict[str, str] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """All that is wrong, in one line."""
        wrong = [f"{name}: {what}" for name, what in self.checks.items() if what != OK]
        return "; ".join(wrong) or "delivers"


async def look(redis: Redis, *, life: str, queue: str) -> WorkerReadiness:
    """Look at Redis; `life` and `queue` are what the process knows of itself. Never raises."""
    checks = {"worker": life, "queue": queue}

    try:
        async with asyncio.timeout(REDIS_SECONDS):
            checks |= await _ask(redis)
    except TimeoutError:
        checks["redis"] = "no answer in time"
    except RedisError as error:
        checks["redis"] = type(error).__name__

    return WorkerReadiness(all(checks[name] == OK for name in ("worker", "queue", "redis")), checks)


async def _ask(redis: Redis) -> dict[str, str]:
    """Whether this run of the server was checked, and what stands still behind it."""
    async with redis.pipeline(transaction=False) as pipe:
        _put_questions(pipe)
        server, checked, *answers = await pipe.execute()

    run = str(server.get("run_id", ""))
    is_checked = checked is not None and checked.decode(errors="replace") == run
    return {"redis": OK if is_checked else UNCHECKED} | behind.read(answers).services


def _put_questions(pipe: Any) -> None:
    pipe.info("server")
    pipe.get(redis_keys.CHECKED_RUN)
    behind.ask(pipe)
