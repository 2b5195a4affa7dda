"""What a simulation plays: how fast answers come, who stands still when, and what Google counts."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

START: Final = 4_000_000_000.0
"""Seconds since 1970: later than any server's own clock, so that nothing expires by that."""
MINUTE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Stall:
    """A worker process stands still for so long.

    The first of them is also the keeper, and paces.
    """

    at: float
    seconds: float
    worker: int = 0


@dataclass(frozen=True, slots=True)
class Scenario:
    """How the parts behave that are played; times in seconds.

    `latency`: from begin to Google's answer, minimum and maximum; the request arrives half-way.
    `step`: how often the pacer looks. `capacity`: deliveries that each worker holds at once.
    """

    latency: tuple[float, float] = (0.1, 0.3)
    step: float = 0.02
    workers: int = 2
    capacity: int = 1000
    stalls: Sequence[Stall] = ()
    seed: int = 1


@dataclass(slots=True)
class Window:
    """Google's own count over a sliding minute."""

    allowed: int
    arrivals: deque[float] = field(default_factory=deque)
    most: int = 0

    def takes(self, at: float) -> bool:
        """Count an arrival, or refuse it."""
        while self.arrivals and self.arrivals[0] <= at - MINUTE:
            self.arrivals.popleft()
        if len(self.arrivals) >= self.allowed:
            return False
        self.arrivals.append(at)
        self.most = max(self.most, len(self.arrivals))
        return True
