"""Liveness: whether this process does its work at all, or had better be started again.

What is slow or away (Redis, the database, Google) is no reason: the next process would fare no
better.

Two threads do a worker's work, and either may be wedged: the loop that delivers, and the hub on
which Celery reads the queue. The hub also stands still while Celery waits for Redis, so it counts
as wedged only where Redis has answered all the time.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Final

from certmail_worker.health.heartbeat import Heartbeat

QUEUE_LATE_SECONDS: Final = 60.0
"""From so late on it is looked at whether Redis is the reason."""
QUEUE_WEDGED_SECONDS: Final = 120.0
"""Celery waits half a minute at most before it asks Redis again."""
UNSEEN_SECONDS: Final = 60.0
"""After so long without a look nobody knows whether Redis answered all the time."""


class Liveness:
    """Judges one process. `redis_answers` looks whether it does, within a bound."""

    def __init__(
        self,
        loop: Heartbeat,
        queue: Heartbeat,
        redis_answers: Callable[[], Awaitable[bool]],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._loop = loop
        self._queue = queue
        self._redis_answers = redis_answers
        self._monotonic = monotonic

        self._answered_since: float | None = None
        self._looked_at = float("-inf")
        self._stops = False

    def stops(self) -> None:
        """The queue is read no more, and nothing is wrong with that."""
        self._stops = True

    async def why_not(self) -> str | None:
        """Why this process had better be started again; None if it lives."""
        if self._loop.blocked:
            return f"the loop has not turned for {self._loop.age:.0f} s"

        if self._stops or self._queue.age < QUEUE_LATE_SECONDS:
            self._answered_since = None
            return None
        return await self._why_the_queue_is_not_read()

    async def _why_the_queue_is_not_read(self) -> str | None:
        answers, now = await self._redis_answers(), self._monotonic()
        unseen = now - self._looked_at > UNSEEN_SECONDS
        self._looked_at = now

        if not answers:
            self._answered_since = None
        elif self._answered_since is None or unseen:
            self._answered_since = now
        elif now - self._answered_since > QUEUE_WEDGED_SECONDS:
            return f"the queue has not been read for {self._queue.age:.0f} s, though Redis answers"
        return None

    @property
    def queue_is_read(self) -> bool:
        """Whether Celery reads the queue just now."""
        return not self._queue.blocked
