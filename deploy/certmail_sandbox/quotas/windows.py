"""Spans of time in which something is counted."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection
from dataclasses import dataclass, field

MINUTE_SECONDS = 60.0
DAY_SECONDS = 86_400.0
# How far the day of Google's quotas lies behind UTC; summer time is left out.
PACIFIC_SECONDS = 8 * 3600.0


@dataclass(slots=True)
class SlidingWindow:
    """Amounts of the last `seconds`, each leaving exactly that long after it came."""

    seconds: float
    total: int = 0
    entries: deque[tuple[float, int]] = field(default_factory=deque)

    def used(self, now: float) -> int:
        """The amount that counts now."""
        while self.entries and self.entries[0][0] <= now - self.seconds:
            self.total -= self.entries.popleft()[1]
        return self.total

    def add(self, now: float, amount: int) -> None:
        """Count an amount from now on."""
        self.entries.append((now, amount))
        self.total += amount

    def next_free(self) -> float | None:
        """When the oldest entry leaves; None while the window is empty."""
        return self.entries[0][0] + self.seconds if self.entries else None


@dataclass(slots=True)
class PacificDay:
    """Amounts since midnight Pacific time, when Google's daily quotas begin anew."""

    day: int = 0
    total: int = 0

    def used(self, now: float) -> int:
        """The amount of the day that it is now."""
        today = int((now - PACIFIC_SECONDS) // DAY_SECONDS)
        if today != self.day:
            self.day, self.total = today, 0
        return self.total

    def add(self, now: float, amount: int) -> None:
        """Count an amount for the day that it is now."""
        self.total = self.used(now) + amount


@dataclass(slots=True)
class RecentRecipients:
    """The addresses that somebody wrote to in the last 24 h, and how often.

    They are counted as they change, since a mailbox may write to thousands.
    """

    entries: deque[tuple[float, tuple[str, ...]]] = field(default_factory=deque)
    written: Counter[str] = field(default_factory=Counter)
    total: int = 0

    def forget(self, now: float) -> None:
        """Let go of what is older than a day."""
        while self.entries and self.entries[0][0] <= now - DAY_SECONDS:
            for address in self.entries.popleft()[1]:
                self.total -= 1
                self.written[address] -= 1
                if not self.written[address]:
                    del self.written[address]

    def add(self, now: float, recipients: Collection[str]) -> None:
        """Count a message to these recipients."""
        self.entries.append((now, tuple(recipients)))
        self.written.update(recipients)
        self.total += len(recipients)

    def with_these(self, recipients: Collection[str]) -> tuple[int, int]:
        """How many recipients there would be with these too, and how many different ones."""
        return self.total + len(recipients), len(self.written) + sum(
            a not in self.written for a in recipients
        )
