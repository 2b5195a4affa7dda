"""Says when something is due in the reviewer's own time zone, language and calendar days."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.core import get_global
from babel.dates import format_date, format_skeleton, format_time, get_timezone_gmt, get_timezone_name

_TERRITORIES: Final[Mapping[str, str]] = get_global("zone_territories")
# How CLDR writes that a zone belongs to no country.
_NOWHERE: Final = frozenset({"001", "ZZ"})


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment as the reviewer's wall shows it.

    Attributes:
        day: With its weekday and year.
        short_day: Month and day only, for subjects.
        zone: The zone's name, without the season: "Central European Time" holds all year.
        days_ahead: Calendar days from today, negative once the day has passed.
        passed: Whether the moment itself has passed.
    """

    day: str
    short_day: str
    time: str
    zone: str
    days_ahead: int
    passed: bool


def moment(due_at: datetime, now: datetime, zone: tzinfo, locale: Locale) -> Moment | None:
    """The moment in that zone and locale; nothing where the calendar itself ends."""
    try:
        there, today = due_at.astimezone(zone), now.astimezone(zone)
    except OverflowError:
        return None
    return Moment(
        day=_plain(format_date(there, "full", locale)),
        short_day=_plain(format_skeleton("MMMMd", there, locale=locale)),
        time=_plain(format_time(there, "short", tzinfo=zone, locale=locale)).replace(" ", "\u00a0"),
        zone=_zone_name(there, zone, locale),
        days_ahead=(there.date() - today.date()).days,
        passed=due_at < now,
    )


@lru_cache(maxsize=1024)
def time_zone(name: str | None) -> tzinfo:
    """The zone of that name, or UTC when there is none."""
    # "localtime" names a file that some machines have; the same letter must give the same mail on every machine.
    if not name or name.strip() == "localtime":
        return UTC
    try:
        return ZoneInfo(name.strip())
    except (KeyError, ValueError, OSError):  # unknown; not a name; a folder such as "Europe", or too long
        return UTC


def _zone_name(there: datetime, zone: tzinfo, locale: Locale) -> str:
    key = getattr(zone, "key", "UTC")
    # Zones that belong to no country have no name without a season: "Unknown Region (UTC) Time" otherwise.
    seasonless = _TERRITORIES.get(key, "ZZ") not in _NOWHERE
    try:
        name = get_timezone_name(zone if seasonless else there, locale=locale)
    except LookupError:  # the locale has no names for countries, and Babel wants one (`KeyError: 'ZZ'`)
        name = get_timezone_gmt(there, locale=locale)
    # Some names carry parentheses, and this one will stand in parentheses itself.
    return _plain(name.replace(" (", ", ").replace(")", ""))


def _plain(text: str) -> str:
    # CLDR's narrow no-break space is a box in some mail programs' fonts; the ordinary one is not.
    return text.replace("\u202f", "\u00a0")
