"""How far this machine's clock is from Google's, as the Date of Google's answers shows it."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Final

SAMPLE_SECONDS: Final = 1.0
"""How often an answer is looked at: the clock does not change from one to the next."""


class ClockSkew:
    """One process's; `seconds` is how far ahead its clock is, None before the first answer."""

    def __init__(
        self,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seconds: float | None = None
        self._wall = wall
        self._monotonic = monotonic
        self._look_at = float("-inf")

    def observe(self, date: str | None) -> None:
        """Take the Date of an answer; one that is no date says nothing."""
        if date is None or self._monotonic() < self._look_at:
            return
        self._look_at = self._monotonic() + SAMPLE_SECONDS
        try:
            self.seconds = self._wall() - parsedate_to_datetime(date).timestamp()
        except (ValueError, TypeError, OverflowError, IndexError):
            return
