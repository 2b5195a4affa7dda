"""Times on the wire: RFC 3339 in UTC with milliseconds, the form Gmail itself uses in its texts."""

from __future__ import annotations

from datetime import UTC, datetime


def rfc3339(at: float) -> str:
    """Write seconds since the epoch as `2026-11-22T10:00:00.000Z`."""
    moment = datetime.fromtimestamp(round(at * 1000) / 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def from_rfc3339(text: str) -> float:
    """Read an RFC 3339 time as seconds since the epoch.

    Raises ValueError if it is no such time, or names no zone.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("the time names no zone")
    return moment.timestamp()
