"""What a reminder may say of time: moments, days and zones, as upstream applications write them.

Pure.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from functools import cache
from typing import Annotated, Final
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError, PydanticKnownError

_MOMENT: Final = TypeAdapter(datetime)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NO_ZONES: Final = frozenset({"localtime", "posixrules", "Factory", "Etc/Unknown"})
"""Names among the time zones of some machines that are none.

They mean what the machine is set to, or nothing.
"""
_LAST_SECOND: Final = time(23, 59, 59, fold=1)
"""Where the clock goes back at midnight there are two of them: the later."""


def is_time_zone(name: str) -> bool:
    """Whether it is a zone of the IANA list, which means the same on every machine."""
    return name in _time_zones()


def end_of_day(day: date, zone: str | None) -> datetime:
    """The last second of that day in that zone; of UTC, where none is known."""
    return datetime.combine(day, _LAST_SECOND, ZoneInfo(zone or "UTC"))


@cache
def _time_zones() -> frozenset[str]:
    """Listing them walks through a folder tree; once per process is enough."""
    return frozenset(available_timezones()) - _NO_ZONES


def _zone(value: str) -> str:
    if not is_time_zone(value):
        raise PydanticCustomError(
            "unknown_time_zone", "not a time zone of the IANA list, such as Europe/Zurich"
        )
    return value


def _written_out(value: object) -> object:
    # Pydantic would take a bare number for seconds since 1970, and 20261211 for a day in August of
    # that year.
    if isinstance(value, datetime):
        return value

    if isinstance(value, str) and _DATE.match(text := value.strip()):
        try:
            # Also where all else is taken strictly: JSON has no times.
            return _MOMENT.validate_python(text)
        except ValidationError:
            pass  # as whatever else is none

    raise PydanticCustomError("datetime_parsing", "not a date and time")


def _day_or_moment(value: object) -> object:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value

    if isinstance(value, str) and _DATE.fullmatch(text := value.strip()):
        try:
            return date.fromisoformat(text)
        except ValueError:  # such as 30 February
            raise PydanticCustomError("datetime_parsing", "not a date") from None

    moment = _written_out(value)
    # Said here: a union would say it of each of its parts.
    if isinstance(moment, datetime) and moment.tzinfo is None:
        raise PydanticKnownError("timezone_aware")

    return moment


def _in_the_calendar(value: date) -> date:
    # At the ends of Python's calendar a time cannot be moved to another zone, or by the life of a
    # reminder.
    if not 1970 <= value.year <= 9998:
        raise PydanticCustomError("invalid_time", "a time must lie between the years 1970 and 9998")
    return value


Time = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_in_the_calendar)]
DayOrTime = Annotated[
    AwareDatetime | date, BeforeValidator(_day_or_moment), AfterValidator(_in_the_calendar)
]
TimeZone = Annotated[str, AfterValidator(_zone)]
