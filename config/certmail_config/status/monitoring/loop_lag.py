"""How long an event loop was held up: seen by the loop itself, told to other threads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

TICK_SECONDS: Final = 0.25
HALF_SECONDS: Final = 30.0
"""Half of the time that is looked back upon."""


class LoopLag:
    """Ticks on a loop, and remembers the longest that a tick was late within the last minute."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._expected = self._half_ends = float("inf")
        self._worst = self._before = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to tick; belongs to the loop."""
        self._half_ends = self._monotonic() + HALF_SECONDS
        self._plan(loop)

    def stop(self) -> None:
        """Tick no more."""
        if self._timer is not None:
            self._timer.cancel()
        self._expected = float("inf")

    def seconds(self) -> float:
        """The longest within the last minute, the present moment included; from any thread."""
        return max(self._worst, self._before, self._monotonic() - self._expected, 0.0)

    def _plan(self, loop: asyncio.AbstractEventLoop) -> None:
        self._expected = self._monotonic() + TICK_SECONDS
        self._timer = loop.call_later(TICK_SECONDS, self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        now = self._monotonic()
        self._worst = max(self._worst, now - self._expected)
        if now > self._half_ends:
            self._before, self._worst, self._half_ends = self._worst, 0.0, now + HALF_SECONDS
        self._plan(loop)
