"""Times as they are written on the command line."""

from __future__ import annotations

from datetime import UTC, datetime

from certmail_config.base.errors import WrongUse


def parse_time(value: str | None, option: str) -> datetime | None:
    """Read RFC 3339 with a zone; raises WrongUse naming the option."""
    if value is None:
        return None

    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        time = None

    if time is None or time.tzinfo is None:
        raise WrongUse(
            "invalid_time",
            f"{option} {value!r} is not a time with a zone.",
            "Write 2026-11-23T04:00:00Z, say.",
        )

    return time.astimezone(UTC)
