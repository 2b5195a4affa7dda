"""Says when something is due in the reviewer's own time zone, language and calendar days."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time

from certmail_config.jobs.times import is_time_zone
from certmail_worker.compose.language.typography import dated, plain
from certmail_worker.compose.language.zones import zone_name

_DAY: Final = timedelta(days=1)
_NOON: Final = time(12)


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment, or the end of a day, as the reviewer's wall shows it."""

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


def moment(due_at: date, now: datetime, zone: tzinfo | None, locale: Locale) -> Moment | None:
    """The moment, or the day, in that zone and locale; nothing where the calendar itself ends.

    Midnight is the end of the day before: as the beginning of a day it is read a day too late.

    `due_at` is a moment, or a date: until that day ends. `zone` and `locale` are the reviewer's; if
    nobody knows the zone, a moment is shown in the offset that it came with.
    """
    if not isinstance(due_at, datetime):
        name = _zone(datetime.combine(due_at, _NOON, zone), locale) if zone else None
        return _end_of(due_at, now.astimezone(zone or UTC), name, locale)

    try:
        there = due_at.astimezone(zone) if zone else due_at
        today = now.astimezone(there.tzinfo)
        if _begins_a_day(there):
            return _end_of(there.date() - _DAY, today, _zone(there, locale), locale)
    except OverflowError:
        return None

    shown = plain(format_time(there, "short", tzinfo=there.tzinfo, locale=locale))
    return Moment(
        day=dated(format_date(there, "full", locale), locale.language),
        short_day=_short(there, today, locale),
        time=shown.replace(" ", "\u00a0"),
        zone=_zone(there, locale),
        days_ahead=(there.date() - today.date()).days,
        passed=due_at < now,
    )


def _end_of(day: date, today: datetime, zone: str | None, locale: Locale) -> Moment:
    days_ahead = (day - today.date()).days
    return Moment(
        day=dated(format_date(day, "full", locale), locale.language),
        short_day=_short(day, today, locale),
        time=None,
        zone=zone,
        days_ahead=days_ahead,
        passed=days_ahead < 0,
    )


def _short(day: date, today: date, locale: Locale) -> str:
    this_year = day.year == today.year
    text = (
        format_skeleton("MMMMd", day, locale=locale)
        if this_year
        else format_date(day, "long", locale)
    )
    return dated(text, locale.language)


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
    return plain(zone_name(there, locale).replace(" (", ", ").replace(")", ""))
