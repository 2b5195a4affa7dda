"""When a message that was not taken is sent again; pure."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

STEPS: Final = (0.0, 5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 36_000.0)
"""Seconds before each attempt, counted from the end of the one before: Standard Webhooks' own."""
JITTER: Final = 0.2
"""Up to so much of a step is added, so that what failed together does not come together."""
MAX_RETRY_AFTER: Final = 36_000.0
"""Seconds: whoever asks for more is asked again after these."""
ASKS_TO_WAIT: Final = frozenset({429, 502, 503, 504})
"""Statuses by which a receiver means itself, and not this message."""


def wait_before(attempt: int, random: float) -> float | None:
    """Seconds before the n-th attempt, `random` from 0 to 1; None if there is none."""
    if attempt > len(STEPS):
        return None
    step = STEPS[attempt - 1]
    return step + step * JITTER * random


def retry_after(header: str | None, now: datetime) -> float | None:
    """The seconds for which `Retry-After` asks, in either of its forms, within a bound.

    None where it asks for nothing, or for what cannot be read.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), MAX_RETRY_AFTER)

    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    aware = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return min(max(0.0, (aware - now).total_seconds()), MAX_RETRY_AFTER)
