"""Readiness, for /readyz: whether reminders can be taken in, and what else is wrong.

A load balancer goes by the status alone, and all gateways have the same stores behind them: so
whatever does not keep them from taking in withdraws none. While the database is away reminders are
recorded later, while no worker lives or Google fails they wait.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from redis import Redis
from redis.exceptions import RedisError

from certmail_config.admin.admin import Admin
from certmail_config.base import redis_keys
from certmail_config.base.durability import Durability
from certmail_config.base.errors import CertmailError
from certmail_config.intake.intake_guard import IntakeGuard
from certmail_config.status import behind
from certmail_config.stores.capacity import StoreLimits

OK: Final = behind.OK
LATE: Final = "no answer in time"
CHECK_SECONDS: Final = 2.0
"""How long a check is waited for: less than probes wait for the answer."""
FRESH_SECONDS: Final = 1.0
"""How old an answer may be.

Whoever asks more often learns nothing new, and costs the server nothing.
"""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether reminders can be taken in, and every check by name.

    A check is `ok`, or what is wrong in a few words.
    """

    ready: bool
    checks: dict[str, str]


@dataclass(slots=True)
class ReadinessChecker:
    """Answers whether one gateway is ready, in time, whatever does not answer itself."""

    admin: Admin
    monotonic: Callable[[], float] = time.monotonic
    check_seconds: float = CHECK_SECONDS
    _known: tuple[float, Readiness] | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _asked: dict[str, asyncio.Future[dict[str, str]]] = field(default_factory=dict)
    # Threads of its own: those of requests may all be waiting for a database.
    _threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(3, "certmail-readiness")
    )

    async def look(self) -> Readiness:
        """Look, unless somebody just has."""
        async with self._turn:
            if self._known is None or self.monotonic() > self._known[0] + FRESH_SECONDS:
                self._known = (self.monotonic(), await self._readiness())
            return self._known[1]

    async def why_not(self) -> str | None:
        """Why nothing can be taken in; None where something can."""
        found = await self.look()
        return None if found.ready else f"redis: {found.checks['redis']}"

    def close(self) -> None:
        """Look no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _readiness(self) -> Readiness:
        found = await asyncio.gather(
            self._ask("redis", partial(_redis, self.admin)),
            self._ask("database", partial(_database, self.admin)),
            self._ask("workers", partial(_behind, self.admin.redis)),
        )
        checks = {name: what for each in found for name, what in each.items()}
        return Readiness(checks["redis"] == OK, checks)

    async def _ask(self, name: str, check: Callable[[], dict[str, str]]) -> dict[str, str]:
        """What a check says in a thread; one that is still at it from before is not begun again."""
        asked = self._asked.get(name)
        if asked is None or asked.done():
            loop = asyncio.get_running_loop()
            asked = self._asked[name] = loop.run_in_executor(self._threads, check)

        await asyncio.wait([asked], timeout=self.check_seconds)
        return asked.result() if asked.done() else {name: LATE}


def readiness(admin: Admin) -> Readiness:
    """Look at both stores and what stands behind them; never raises."""
    checks = _redis(admin) | _database(admin) | _behind(admin.redis)
    return Readiness(checks["redis"] == OK, checks)


def _redis(admin: Admin) -> dict[str, str]:
    return {"redis": _said(partial(_takes_in, admin))}


def _database(admin: Admin) -> dict[str, str]:
    return {"database": _said(partial(_answers, admin))}


def _behind(redis: Redis) -> dict[str, str]:
    """Who works on what was taken in, and what of that stands still."""
    try:
        with redis.pipeline(transaction=False) as pipe:
            behind.ask(pipe)
            found = behind.read(pipe.execute())
    except RedisError as error:
        return {"workers": type(error).__name__}
    return found.workers | found.services


def _takes_in(admin: Admin) -> None:
    """Check Redis as whoever enqueues does: it has room, is durable, and can be written to.

    Raises RedisError, StoresUnreachable.
    """
    settings = admin.settings
    limits = StoreLimits(settings.redis_memory_max, settings.events_max)
    IntakeGuard(admin.redis, Durability.parse(settings.durability), limits).look(1)
    admin.redis.set(redis_keys.WITNESS, b"")


def _answers(admin: Admin) -> None:
    with admin.db() as db:
        db.exec_driver_sql("SELECT 1")


def _said(check: Callable[[], object]) -> str:
    try:
        check()
    except RedisError as error:
        return type(error).__name__
    except CertmailError as error:
        return error.code
    return OK
