"""Dates and times as people and spreadsheets write them, in the contract's form. Pure.

What can be read in one way only is read. Where day and month may be exchanged, or the zone is
missing, it is asked for: a deadline is on record.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from certmail_config.base.errors import ReminderRejected, WrongUse
from certmail_config.jobs.times import end_of_day, is_time_zone

FIELDS: Final = frozenset({"due_at", "send_at", "expires_at"})


class DateOrder(StrEnum):
    """What comes first in 03/04/2026."""

    DMY = "dmy"
    MDY = "mdy"


@dataclass(frozen=True, slots=True)
class DateDefaults:
    """What a file's dates do not say themselves.

    The zone of rows that name none, and the order of day and month.
    """

    time_zone: str | None = None
    date_order: DateOrder | None = None


# As texts: re compiles each once, and most files have no dates.
_COMPLETE: Final = r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?\s?(?:[Zz]|[+-]\d\d:?\d\d)"
_DATES: Final = (
    r"(?P<year>\d{4})(?P<mark>[-/.])\s?(?P<month>\d{1,2})(?P=mark)\s?(?P<day>\d{1,2})\.?",
    r"(?P<year>\d{4})年(?P<month>\d{1,2})月(?P<day>\d{1,2})日",
    # With dots the day is first everywhere.
    r"(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?(?P<year>\d{4})",
    r"(?P<day>\d{1,2})[ -](?P<named>[A-Za-z]{3,9})\.?,?[ -](?P<year>\d{4})",
    r"(?P<named>[A-Za-z]{3,9})\.? (?P<day>\d{1,2}),? (?P<year>\d{4})",
    r"(?P<first>\d{1,2})(?P<mark>[/-])(?P<second>\d{1,2})(?P=mark)(?P<year>\d{4})",
)
_TIME: Final = (
    r"(?:[T,\s]+(?P<hour>\d{1,2})[:h](?P<minute>\d\d)(?::(?P<seconds>\d\d)(?:\.\d+)?)?\s*(?P<half>[AaPp]\.?[Mm]\.?)?)?"
    r"\s*(?P<zone>[Zz]|[+-]\d\d:?\d\d)?"
)
_MONTHS: Final = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")  # fmt: skip


def normalize(field: str, text: str, zone: str | None, defaults: DateDefaults) -> str:
    """A date or time in the contract's form: RFC 3339, or a date alone.

    What is neither stays as it is, for the contract to refuse.

    Raises ReminderRejected.
    """
    text = " ".join(text.split())
    if re.fullmatch(_COMPLETE, text, re.ASCII):
        return text

    for pattern in _DATES:
        found = re.match(pattern, text, re.ASCII)
        rest = re.fullmatch(_TIME, text[found.end() :], re.ASCII) if found else None
        if found and rest:
            break
    else:
        return text

    try:
        day = _day(field, found, defaults)
        clock = _clock(rest)
    except ValueError:
        return text  # no such day or hour

    # Not in the contract's calendar; or a day with an offset, which may begin or end there.
    if not 1970 <= day.year <= 9998 or (rest["zone"] and clock is None):
        return text
    if rest["zone"]:
        return f"{day}T{clock}{rest['zone'].upper()}"
    if clock is None:
        return _whole_day(field, day, zone or defaults.time_zone)

    return _at(field, datetime.combine(day, clock), zone or defaults.time_zone)


def _day(field: str, found: re.Match[str], defaults: DateDefaults) -> date:
    parts = found.groupdict()
    if named := parts.get("named"):
        month = next(
            n
            for n, name in enumerate([*_MONTHS, named.lower()], 1)
            if _abbreviates(named.lower(), name)
        )
    elif parts.get("month"):
        month = int(parts["month"])
    else:
        day, month = _ordered(field, int(parts["first"]), int(parts["second"]), defaults.date_order)
        return date(int(parts["year"]), month, day)

    return date(int(parts["year"]), month, int(parts["day"]))


def _abbreviates(named: str, month: str) -> bool:
    return month.startswith(named) or named == "sept"


def _ordered(field: str, first: int, second: int, order: DateOrder | None) -> tuple[int, int]:
    """The day and the month, of two numbers; raises ReminderRejected where both are possible."""
    if order is not None:
        return (first, second) if order is DateOrder.DMY else (second, first)
    if first > 12 or first == second:
        return first, second
    if second > 12:
        return second, first

    raise ReminderRejected(
        "ambiguous_date",
        "may be either of two days: say which number is the day, with --date-order dmy or mdy",
        field=field,
    )


def _clock(rest: re.Match[str]) -> time | None:
    if rest["hour"] is None:
        return None

    hour, half = int(rest["hour"]), (rest["half"] or "").replace(".", "").lower()
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if half == "pm" else 0)

    return time(hour, int(rest["minute"]), int(rest["seconds"] or 0))


def _whole_day(field: str, day: date, zone: str | None) -> str:
    """A day without a time: due and expiring at its end, sent from its beginning on."""
    if field == "due_at":
        return day.isoformat()
    if field == "expires_at" and zone is not None and is_time_zone(zone):
        return end_of_day(day, zone).isoformat()
    return _at(field, datetime.combine(day, time()), zone)


def _at(field: str, local: datetime, zone: str | None) -> str:
    if zone is None:
        raise ReminderRejected(
            "time_without_zone",
            "a time needs a zone: a column time_zone, --time-zone Europe/Zurich, or 2026-12-11T17:00:00+01:00",
            field=field,
        )

    # The contract refuses the zone, which is the row's own.
    if not is_time_zone(zone):
        return f"{local.isoformat()}Z"

    moment = local.replace(tzinfo=ZoneInfo(zone))
    if moment.astimezone(UTC).astimezone(moment.tzinfo).replace(tzinfo=None) != local:
        raise ReminderRejected(
            "no_such_time", f"clocks in {zone} skip this time of that day", field=field
        )

    if moment.utcoffset() != moment.replace(fold=1).utcoffset():
        raise ReminderRejected(
            "ambiguous_time",
            f"comes twice that day in {zone}: write it with its offset from UTC",
            field=field,
        )

    return moment.isoformat()


def known_zone(name: str) -> str:
    """A zone's name; raises WrongUse where there is no such zone."""
    if not is_time_zone(name):
        message = f"--time-zone {name!r} is no time zone."
        raise WrongUse(
            "unknown_time_zone", message, "Write a name of the IANA list, such as Europe/Zurich."
        )
    return name
