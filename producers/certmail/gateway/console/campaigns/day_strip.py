"""The mails of a campaign by day, a week a line, each day darker the more go on it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from certmail_config.campaigns.cadence import Kind

SHADES: Final = 4
_WEEK: Final = timedelta(days=7)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class StripDay:
    """One day: how many mails go, of which kinds, and how dark it is, from 0 to `SHADES`."""

    date: date
    kinds: Mapping[Kind, int]
    shade: int
    is_due: bool

    @property
    def count(self) -> int:
        """All of them."""
        return sum(self.kinds.values())


@dataclass(frozen=True, slots=True)
class StripWeek:
    """Seven days from a Monday; `skipped` weeks before it have nothing."""

    days: tuple[StripDay, ...]
    skipped: int

    @property
    def monday(self) -> datetime:
        """The day that names it."""
        return datetime.combine(self.days[0].date, time(12), UTC)


@dataclass(frozen=True, slots=True)
class DayStrip:
    """From the first week with something in it to the last."""

    weeks: tuple[StripWeek, ...]
    busiest: int

    @classmethod
    def of(cls, days: Mapping[date, Mapping[Kind, int]], due: date) -> DayStrip:
        """The strip of what goes on each day; the due day is marked wherever it lies."""
        if not days:
            return cls((), 0)
        busiest = max(sum(kinds.values()) for kinds in days.values())
        return cls(tuple(_weeks(days, due, busiest)), busiest)


def _weeks(days: Mapping[date, Mapping[Kind, int]], due: date, busiest: int) -> Iterator[StripWeek]:
    wanted = {*days, due}
    monday = min(wanted) - _DAY * min(wanted).weekday()
    skipped = 0
    while monday <= max(wanted):
        week = [monday + _DAY * number for number in range(7)]
        if wanted.isdisjoint(week):
            skipped += 1
        else:
            yield StripWeek(tuple(_day(each, days, due, busiest) for each in week), skipped)
            skipped = 0
        monday += _WEEK


def _day(each: date, days: Mapping[date, Mapping[Kind, int]], due: date, busiest: int) -> StripDay:
    kinds = days.get(each, {})
    count = sum(kinds.values())
    shade = -(-count * SHADES // busiest) if count else 0
    return StripDay(each, kinds, shade, each == due)
