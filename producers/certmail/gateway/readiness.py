"""Readiness, for /readyz: whether reminders can be taken in, and what else is wrong.

A load balancer goes by the status alone: while the database is away, reminders are taken in all the
same, and are recorded later.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from redis import Redis
from redis.exceptions import RedisError

from certmail.client.intake_guard import IntakeGuard
from certmail_config.admin.admin import Admin
from certmail_config.base import redis_keys
from certmail_config.base.durability import Durability
from certmail_config.base.errors import CertmailError
from certmail_config.status import stalls
from certmail_config.stores.capacity import StoreLimits

OK: Final = "ok"
STANDS: Final = "not as it should be (`certmail doctor` says more), since"
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
    """Answers whether one gateway is ready."""

    admin: Admin
    monotonic: Callable[[], float] = time.monotonic
    _known: tuple[float, Readiness] | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def look(self) -> Readiness:
        """Look, unless somebody just has."""
        async with self._turn:
            if self._known is None or self.monotonic() > self._known[0] + FRESH_SECONDS:
                self._known = (self.monotonic(), await asyncio.to_thread(readiness, self.admin))
            return self._known[1]


def readiness(admin: Admin) -> Readiness:
    """Look at both stores and what stands behind them; never raises."""
    redis = _said(lambda: _takes_in(admin))
    checks = {"redis": redis, "database": _said(lambda: _answers(admin))}

    try:
        checks |= behind(admin.redis)
    except RedisError as error:
        checks["workers"] = type(error).__name__

    return Readiness(redis == OK, checks)


def behind(redis: Redis) -> dict[str, str]:
    """Who works on what was taken in, and what of that stands still. Raises RedisError."""
    with redis.pipeline(transaction=False) as pipe:
        stalls.ask(pipe)
        seen = stalls.read(pipe.execute())

    if not seen.workers:
        return {"workers": "none is alive: reminders wait"}

    # Anybody may ask: which worker on which machine, and what it failed with, is for doctor and the
    # log to say.
    found = {
        each.service: f"{STANDS} {each.since:%Y-%m-%dT%H:%M:%SZ}"
        for each in stalls.standstills(seen)
    }

    mailboxes, projects = seen.waits
    if mailboxes or projects:
        found["waits"] = (
            f"{mailboxes} mailboxes and {projects} projects wait for a time: "
            "`certmail doctor` says why"
        )

    return {"workers": OK, **found}


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
