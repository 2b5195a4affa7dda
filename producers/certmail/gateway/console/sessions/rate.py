"""A rate limit on what somebody may ask for, in this process.

Belongs to one event loop.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

MAX_PER_MINUTE: Final = 60
_MINUTE: Final = 60.0


class RateLimit:
    """Limits requests by name; all counts begin anew each minute."""

    def __init__(
        self, monotonic: Callable[[], float] = time.monotonic, *, most: float = MAX_PER_MINUTE
    ) -> None:
        self._most = most
        self._monotonic = monotonic
        self._minute = 0
        self._counts: dict[str, float] = {}

    def allows(self, name: str, cost: float = 1) -> bool:
        """Count one more; returns whether that is not too many."""
        self._turn_over()
        self._counts[name] = self._counts.get(name, 0) + cost
        return self._counts[name] <= self._most

    def _turn_over(self) -> None:
        minute = int(self._monotonic() // _MINUTE)
        if minute != self._minute:
            self._minute = minute
            self._counts.clear()
