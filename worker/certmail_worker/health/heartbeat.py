"""A heartbeat: whether a loop still turns, as another thread can see it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

BEAT_SECONDS: Final = 1.0
BLOCKED_SECONDS: Final = 20.0
"""A loop that has not turned for so long does not do its work.

Nothing that a worker does on its loop takes a second, however slow Redis, the database or Google
are.
"""


class Heartbeat:
    """One loop's. Written by it, read by any thread."""

    def __init__(
        self,
        *,
        blocked_seconds: float = BLOCKED_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._blocked_seconds = blocked_seconds
        self._monotonic = monotonic
        self._at = monotonic()

    def beat(self) -> None:
        """The loop turns."""
        self._at = self._monotonic()

    @property
    def age(self) -> float:
        """How long ago it last turned, seconds."""
        return self._monotonic() - self._at

    @property
    def blocked(self) -> bool:
        """Whether it has not turned for too long."""
        return self.age > self._blocked_seconds

    async def keep(self) -> None:
        """Beat on the running loop, until cancelled."""
        while True:
            self.beat()
            await asyncio.sleep(BEAT_SECONDS)
