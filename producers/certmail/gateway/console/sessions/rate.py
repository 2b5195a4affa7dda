"""A rate limit on what somebody may ask for, in this process.

Belongs to one event loop.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Final

MAX_PER_MINUTE: Final = 60
_MINUTE: Final = 60.0


class RateLimit:
    """Limits requests by name; all counts begin anew each minute."""

    def __init__(
        self, monotonic: Callable[[], float] = time.monotonic, *, most: int = MAX_PER_MINUTE
    ) -> None:
        self._most = most
        self._monotonic = monotonic
        self._minute = 0
        self._counts: Counter[str] = Counter()

    def allows(self, name: str) -> bool:
        """Count one more; returns whether that is not too many."""
        minute = int(self._monotonic() // _MINUTE)
        if minute != self._minute:
            self._minute = minute
            self._counts.clear()

        self._counts[name] += 1
        return self._counts[name] <= self._most
