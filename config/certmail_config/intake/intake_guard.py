"""The intake guard: before a batch is enqueued, whether the server has room for it.

And whether it still keeps what is promised.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from redis import Redis

from certmail_config.base.durability import Durability, prove
from certmail_config.base.errors import StoresUnreachable
from certmail_config.stores.capacity import (
    LOOK_SECONDS,
    StoreLimits,
    ask,
    read_figures,
    room,
    share,
    unseen,
)


class IntakeGuard:
    """Looks whether the server takes more reminders, once a second, and sooner the less room there is.

    Each new run of the server is proven anew.
    """

    def __init__(
        self,
        redis: Redis,
        durability: Durability,
        limits: StoreLimits,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._durability = durability
        self._limits = limits
        self._monotonic = monotonic
        self._proven_run = ""
        self._good_until = 0.0
        self._jobs_left = 0
        self._share = 0

    def look(self, jobs: int) -> int:
        """Ensure that so many reminders may be taken in; returns the share of one tenant.

        The share is how many reminders it may have, 0 for any number. Raises StoresUnreachable,
        RedisError.
        """
        self._jobs_left -= jobs
        if self._jobs_left >= 0 and self._monotonic() < self._good_until:
            return self._share

        with self._redis.pipeline(transaction=False) as pipe:
            ask(pipe)
            figures = read_figures(pipe.execute())

        if figures.run != self._proven_run:
            prove(self._redis, self._durability)
            self._proven_run = figures.run

        full = room(figures, self._limits)
        if full is not None:
            raise StoresUnreachable(full.code, full.message, full.remedy)

        self._good_until = self._monotonic() + LOOK_SECONDS
        self._jobs_left = unseen(figures, self._limits) - jobs
        self._share = share(figures, self._limits)

        return self._share
