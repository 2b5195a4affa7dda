"""How a day and a moment are written, for people (wherever a sentence names one) and for programs.

Pure.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

_MONTHS: Final = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)
"""Not strftime's: those follow the locale that a process happens to have."""


def day(value: datetime) -> str:
    """Such as 2 Dec 2026, as UTC counts days."""
    value = value.astimezone(UTC)
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def moment(value: datetime) -> str:
    """Such as 2 Dec 2026, 15:20 UTC."""
    return f"{day(value)}, {value.astimezone(UTC):%H:%M} UTC"


def rfc3339(value: datetime) -> str:
    """Such as 2026-12-02T15:20:00.000Z: the form that every interface gives to programs."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
