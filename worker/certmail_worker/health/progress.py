"""Progress: the keeper's services note that they get on, at most every two seconds each.

Every worker says what stands still.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Final

from redis.asyncio import Redis

from certmail_config.base import redis_keys
from certmail_config.ledger import arun, note
from certmail_config.status.stalls import (
    CLOCK,
    STANDSTILL_SECONDS,
    Standstill,
    ask,
    read,
    standstills,
)
from certmail_worker.health.clock_skew import ClockSkew

log = logging.getLogger(__name__)

NOTE_SECONDS: Final = 2.0
LOOK_SECONDS: Final = 10.0
REPEAT_SECONDS: Final = 300.0
GRACE_SECONDS: Final = 60.0
"""How much longer than the keeper another worker waits before it speaks, seconds.

It says then what the keeper cannot say any more.
"""
TOLERANCE_SECONDS: Final = 120.0
"""How far a machine's clock may be from Google's, seconds.

At five minutes Google refuses what is signed by it.
"""
NoteProgress = Callable[[], Awaitable[None]]
"""Called by a service whenever it has got on."""


async def no_notes() -> None:
    """Note nothing: for a service whose progress nobody watches."""


class ServiceProgress:
    """One worker process's notes, and what it has said of standstills; belongs to its loop."""

    def __init__(
        self,
        redis: Redis,
        worker: str = "",
        skew: ClockSkew | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._clock = f"{CLOCK}{worker}"
        self._skew = skew or ClockSkew()
        self._skewed = False
        self._monotonic = monotonic

        self._noted: dict[str, float] = {}
        self._failing: set[str] = set()
        self._within: dict[str, float] = {}
        self._look_at = 0.0
        self._logged: dict[str, tuple[datetime, float]] = {}

    def of(self, service: str, *, within: float = STANDSTILL_SECONDS) -> NoteProgress:
        """The function that this service calls when it gets on.

        It stands still if it does not for `within` seconds.

        Raises RedisError.
        """
        self._within[service] = within

        async def note_progress() -> None:
            now = self._monotonic()
            if (
                service in self._failing
                or now >= self._noted.get(service, float("-inf")) + NOTE_SECONDS
            ):
                await arun(self._redis, note(service, within=within))
                self._noted[service] = now
                self._failing.discard(service)

        return note_progress

    async def begin(self, services: Iterable[str]) -> None:
        """This worker is the keeper now: what was noted long ago says nothing of it.

        Raises RedisError.
        """
        for service in services:
            await arun(
                self._redis, note(service, within=self._within.get(service, STANDSTILL_SECONDS))
            )

    async def failed(self, service: str, why: str) -> None:
        """A service's try has failed; the log has said it. Raises RedisError."""
        self._failing.add(service)
        await self._redis.hset(redis_keys.PROGRESS, f"{service}:why", why)

    async def watch(self, *, keeper: bool) -> None:
        """Say what stands still, at once and then each few minutes, and when it goes on.

        Raises RedisError.
        """
        now = self._monotonic()
        if now < self._look_at:
            return
        self._look_at = now + LOOK_SECONDS

        await self._note_clock()
        async with self._redis.pipeline(transaction=False) as pipe:
            ask(pipe)
            seen = read(await pipe.execute())
        self.tell(standstills(seen, 0.0 if keeper else GRACE_SECONDS), now)

    async def _note_clock(self) -> None:
        """Note how far this machine's clock is from Google's, where that is too far.

        Take the note back when it is not.
        """
        off = self._skew.seconds
        skewed = off is not None and abs(off) > TOLERANCE_SECONDS
        if skewed and off is not None:
            await self._redis.hset(redis_keys.PROGRESS, self._clock, str(round(off)))
        elif self._skewed:
            await self._redis.hdel(redis_keys.PROGRESS, self._clock)
        self._skewed = skewed

    def tell(self, found: Sequence[Standstill], now: float) -> None:
        """Write it into the log; `now` on this process's clock."""
        for each in found:
            _, said_at = self._logged.get(each.service, (each.since, float("-inf")))
            if now >= said_at + REPEAT_SECONDS:
                self._logged[each.service] = (each.since, now)
                said = {"service": each.service, "error": each.message, "remedy": each.remedy}
                log.error("standstill", extra=said)

        for service in self._logged.keys() - {each.service for each in found}:
            since, _ = self._logged.pop(service)
            log.info(
                "goes_on", extra={"service": service, "since": since.isoformat(timespec="seconds")}
            )
