"""Room in Redis for what the gateway keeps there for whoever asks.

It must leave most of it to reminders.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from redis import Redis

from certmail_config.base.errors import StoresUnreachable
from certmail_config.settings import Settings
from certmail_config.stores.capacity import (
    LOOK_SECONDS,
    Figures,
    StoreLimits,
    ask,
    free_bytes,
    read_figures,
    room,
)


class Space:
    """Looks at the room in Redis, at most once a second; used from threads. Raises RedisError."""

    def __init__(
        self, redis: Redis, limits: StoreLimits, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._redis = redis
        self._limits = limits
        self._monotonic = monotonic
        self._seen: tuple[float, Figures] | None = None

    @classmethod
    def of(cls, redis: Redis, settings: Settings) -> Space:
        """With the limits that an operator set."""
        return cls(redis, StoreLimits(settings.redis_memory_max, settings.events_max))

    def require(self) -> None:
        """Require room for something small; raises StoresUnreachable."""
        full = room(self._figures(), self._limits)
        if full is not None:
            raise StoresUnreachable(full.code, full.message, full.remedy)

    def free(self) -> int | None:
        """How many bytes may still be filled; None where nobody knows."""
        return free_bytes(self._figures(), self._limits)

    def _figures(self) -> Figures:
        seen = self._seen
        if seen is not None and self._monotonic() < seen[0]:
            return seen[1]

        with self._redis.pipeline(transaction=False) as pipe:
            ask(pipe)
            figures = read_figures(pipe.execute())

        self._seen = (self._monotonic() + LOOK_SECONDS, figures)
        return figures
