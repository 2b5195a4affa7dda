"""Says when something is due in the reviewer's own time zone, language and calendar days."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time

from certmail_config.compose.language.typography import dated, plain, within
from certmail_config.compose.language.zones import zone_name
from certmail_config.jobs.times import is_time_zone

_DAY: Final = timedelta(days=1)
_NOON: Final = time(12)


class LocalMoment(NamedTuple):
    """A moment, or the end of a day, as the reviewer's wall shows it."""

    date: date
    day: str
    """With its weekday and year."""
    short_day: str
    """Month and day only, for subjects; with the year if it is not the reviewer's current one."""
    time: str | None
    """None where it is the day's end."""
    zone: str | None
    """The zone's name. None for a day of which nobody said where it ends."""
    days_ahead: int
    """Calendar days from today, negative once the day has passed."""
    passed: bool
    """Whether the moment itself has passed."""


@dataclass(frozen=True, slots=True)
class _OnTheWall:
    """What a wall shows of a moment or a day, whatever the time is now."""

    date: date
    day: str
    month_and_day: str
    dated: str
    time: str | None
    zone: str | None
    clock: tzinfo


def moment(due_at: date, now: datetime, zone: tzinfo | None, locale: Locale) -> LocalMoment | None:
    """The moment, or the day, in that zone and locale; nothing where the calendar itself ends.

    Midnight is the end of the day before: as the beginning of a day it is read a day too late.

    `due_at` is a moment, or a date: until that day ends. `zone` and `locale` are the reviewer's; if
    nobody knows the zone, a moment is shown in the offset that it came with.
    """
    try:
        if isinstance(due_at, datetime):
            naive = due_at.replace(tzinfo=None)
            wall = _moment(naive, due_at.fold, due_at.tzinfo, zone, locale)
        else:
            wall = _day(due_at, zone, locale)
        today = now.astimezone(wall.clock).date()
    except OverflowError:
        return None

    days_ahead = (wall.date - today).days
    return LocalMoment(
        date=wall.date,
        day=wall.day,
        short_day=wall.month_and_day if wall.date.year == today.year else wall.dated,
        time=wall.time,
        zone=wall.zone,
        days_ahead=days_ahead,
        passed=due_at < now if wall.time and isinstance(due_at, datetime) else days_ahead < 0,
    )


# A campaign's reviewers share a few of these, and CLDR's patterns take a third of a millisecond.
# `fold` stands beside its moment because moments are equal whatever theirs is.
@lru_cache(maxsize=2048)
def _moment(
    naive: datetime, fold: int, came_with: tzinfo | None, zone: tzinfo | None, locale: Locale
) -> _OnTheWall:
    due_at = naive.replace(fold=fold, tzinfo=came_with)
    there = due_at.astimezone(zone) if zone else due_at
    clock = there.tzinfo or UTC
    if _begins_a_day(there):
        return _shown(there.date() - _DAY, None, _zone(there, locale), clock, locale)

    time = plain(format_time(there, "short", tzinfo=clock, locale=locale)).replace(" ", "\u00a0")
    return _shown(there.date(), time, _zone(there, locale), clock, locale)


@lru_cache(maxsize=2048)
def _day(day: date, zone: tzinfo | None, locale: Locale) -> _OnTheWall:
    name = _zone(datetime.combine(day, _NOON, zone), locale) if zone else None
    return _shown(day, None, name, zone or UTC, locale)


def _shown(
    day: date, time: str | None, zone: str | None, clock: tzinfo, locale: Locale
) -> _OnTheWall:
    def written(text: str) -> str:
        return dated(text, locale.language)

    return _OnTheWall(
        date=day,
        day=written(format_date(day, "full", locale)),
        month_and_day=written(format_skeleton("MMMMd", day, locale=locale)),
        dated=written(format_date(day, "long", locale)),
        time=time,
        zone=zone,
        clock=clock,
    )


def _begins_a_day(there: datetime) -> bool:
    # Where the clock goes forward at midnight a day begins at 1:00.
    begins = datetime.combine(there.date(), time(), there.tzinfo)
    return begins.astimezone(UTC) == there.astimezone(UTC)


@lru_cache(maxsize=1024)
def time_zone(name: str | None) -> tzinfo | None:
    """The zone of that name, if there is one."""
    # "localtime" names a file that some machines have; the same letter must give the same mail on
    # every machine.
    if not name or not is_time_zone(name.strip()):
        return None
    return ZoneInfo(name.strip())


def _zone(there: datetime, locale: Locale) -> str:
    # Some names carry parentheses, and this one will stand in parentheses itself.
    name = zone_name(there, locale).replace(" (", ", ").replace(")", "")
    return within(plain(name), locale.language)
