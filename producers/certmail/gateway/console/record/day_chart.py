"""The hours of a day as bars, each cut by what became of the reminders that were enqueued in it.

Pure.

The drawing has places and heights of its own, in its attributes: the pages' policy allows no style
in the markup.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from certmail.gateway.console.record import words
from certmail_config.sql.record.counts import HOURS, DayCounts
from certmail_config.sql.record.groups import STATES_OF, StateGroup

WIDTH: Final = 960
HEIGHT: Final = 96
STEP: Final = WIDTH // HOURS
_GAP: Final = 8
_LEAST: Final = 3
"""So high is at least what there is one of."""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a bar: where it stands in the drawing, and its colour."""

    x: int
    y: int
    width: int
    height: int
    tone: str


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour: when it begins, and how many are in each group of states."""

    at: datetime
    counts: tuple[tuple[StateGroup, int], ...]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(count for _, count in self.counts)


@dataclass(frozen=True, slots=True)
class DayChart:
    """A day's hours; `capped` says that they are those of its newest reminders only."""

    day: datetime
    hours: tuple[Hour, ...]
    capped: bool

    @classmethod
    def of(cls, counted: DayCounts, *, until: datetime) -> DayChart:
        """The chart of what was counted, up to a time."""
        hours = []

        for n in range(HOURS):
            at = counted.start + timedelta(hours=n)
            if at >= until:
                break
            counts = (
                (group, sum(counted.hours[s][n] for s in STATES_OF[group] if s in counted.hours))
                for group in StateGroup
            )
            hours.append(Hour(at, tuple(counts)))

        return cls(counted.start, tuple(hours), counted.capped)

    @property
    def total(self) -> int:
        """All of the day."""
        return sum(hour.total for hour in self.hours)

    @property
    def busy(self) -> tuple[Hour, ...]:
        """The hours in which there are any."""
        return tuple(hour for hour in self.hours if hour.total)

    @property
    def blocks(self) -> Iterator[Block]:
        """The drawing, from left to right, each bar from its foot."""
        highest = max((hour.total for hour in self.hours), default=0)

        for n, hour in enumerate(self.hours):
            foot = HEIGHT
            for group, count in hour.counts:
                if not count:
                    continue
                height = max(_LEAST, round(HEIGHT * count / highest))
                height = min(height, foot)
                foot -= height
                tone = words.GROUPS[group][0]
                yield Block(n * STEP + _GAP // 2, foot, STEP - _GAP, height, tone)
