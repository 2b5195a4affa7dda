"""The hours of a day in a zone in which mails may leave, and the instants at which they lie.

Zones are those of the package tzdata, never the machine's own, so that a plan is the same wherever
it is made, and its version says what it was made with.

One rule for summer time: a time that clocks skip moves forward by what they skip; of a time that
comes twice the first is meant.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from pydantic_core import PydanticCustomError

from certmail_config.jobs.times import is_time_zone

_WINDOW: Final = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*-\s*([0-9]{1,2}):([0-9]{2})")
_DAY: Final = 24 * 60


class Window(NamedTuple):
    """From when until when, in minutes of the local day; 24:00 is its end."""

    opens: int
    closes: int

    def __str__(self) -> str:
        return "-".join(f"{each // 60:02}:{each % 60:02}" for each in self)


def read_window(value: object) -> Window:
    """Read such as 09:00-17:00; raises PydanticCustomError."""
    if isinstance(value, Window):
        return value

    found = _WINDOW.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is not None:
        hours = [int(each) for each in found.groups()]
        window = Window(hours[0] * 60 + hours[1], hours[2] * 60 + hours[3])
        if max(hours[1], hours[3]) < 60 and window.opens < window.closes <= _DAY:
            return window

    raise PydanticCustomError(
        "invalid_window",
        "not hours of one day, the earlier first, such as 09:00-17:00",
    )


class Opening(NamedTuple):
    """When the window of one day begins and ends."""

    begins: datetime
    ends: datetime


def opening(day: date, window: Window, zone: ZoneInfo) -> Opening | None:
    """The window of a day; None where clocks skip the day, or move its window to another one.

    A window that clocks skip keeps its length.
    """
    begins = _instant(day, window.opens, zone)
    ends = _instant(day, window.closes, zone)
    if ends <= begins:
        ends = begins + timedelta(minutes=window.closes - window.opens)

    return Opening(begins, ends) if begins.astimezone(zone).date() == day else None


def _instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    local = datetime.combine(day, time()) + timedelta(minutes=minutes)
    # Python's reading without a fold is our rule: what was in force before the clocks changed.
    return local.replace(tzinfo=zone).astimezone(UTC)


@cache
def zone(name: str) -> ZoneInfo:
    """A zone by its name, which is known (`read_zone`)."""
    place = files("tzdata").joinpath("zoneinfo", *name.split("/"))
    with place.open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def read_zone(value: str) -> str:
    """Check the name of a zone; raises PydanticCustomError."""
    if value not in zone_names():
        raise PydanticCustomError(
            "unknown_time_zone", "not a time zone of the IANA list, such as Europe/Zurich"
        )
    return value


@cache
def zone_names() -> frozenset[str]:
    """Every zone of the IANA list, which other parts of certmail know as well."""
    listed = files("tzdata").joinpath("zones").read_text("utf-8").split()
    return frozenset(name for name in listed if is_time_zone(name))


@cache
def tzdata_version() -> str:
    """Of the zones that plans are made with."""
    return version("tzdata")
