"""Times as they are written on the command line."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from certmail_config.base.errors import WrongUse


def parse_time(value: str | None, option: str) -> datetime | None:
    """Read RFC 3339 with a zone; raises WrongUse naming the option."""
    if value is None:
        return None

    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None

    if moment is None or moment.tzinfo is None:
        raise WrongUse(
            "invalid_time",
            f"{option} {value!r} is not a time with a zone.",
            "Write 2026-11-23T04:00:00Z, say.",
        )

    return moment.astimezone(UTC)


def parse_day(value: str | None, option: str) -> datetime | None:
    """Read a day, and give when it begins in UTC; raises WrongUse naming the option."""
    if value is None:
        return None

    try:
        return datetime.combine(date.fromisoformat(value), time(), UTC)
    except ValueError:
        message = f"{option} {value!r} is not a day."
        raise WrongUse("invalid_day", message, "Write 2026-11-23, say.") from None
