"""Warnings that are said again and again: after a few, a count stands for the others, so that no trouble fills the disk."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TextIO

MOST: Final = 5
"""So often the same is said within a window."""
WINDOW_SECONDS: Final = 10.0
_KNOWN: Final = 500
_USUAL: Final = logging.makeLogRecord({}).__dict__.keys() | {"message", "asctime"}


@dataclass(slots=True)
class _Seen:
    """A warning, how often it came, and until when it is counted."""

    record: logging.LogRecord
    until: float
    count: int = 0


class Collapsing(logging.StreamHandler[TextIO]):
    """Writes lines; a warning that is the same as others in all it says is counted instead, and the count said later."""

    def __init__(self, stream: TextIO, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(stream)
        self._monotonic = monotonic
        self._seen: dict[tuple[object, ...], _Seen] = {}
        self._first_end = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        """Write it, or count it."""
        if self._seen and self._monotonic() >= self._first_end:
            self._say_counts(self._monotonic())
        if record.levelno < logging.WARNING or not self._is_one_more(record):
            super().emit(record)

    def close(self) -> None:
        """Say what was counted."""
        self._say_counts(float("inf"))
        super().close()

    def _is_one_more(self, record: logging.LogRecord) -> bool:
        more = {name: value for name, value in record.__dict__.items() if name not in _USUAL}
        key = (record.name, record.levelno, record.getMessage(), repr(more))
        seen = self._seen.get(key)
        if seen is None:
            if len(self._seen) >= _KNOWN:
                return False
            seen = self._seen[key] = _Seen(record, self._monotonic() + WINDOW_SECONDS)
            self._first_end = min(each.until for each in self._seen.values())
        seen.count += 1
        return seen.count > MOST

    def _say_counts(self, now: float) -> None:
        ended = [key for key, seen in self._seen.items() if seen.until <= now]
        for key in ended:
            seen = self._seen.pop(key)
            if seen.count > MOST:
                again = copy.copy(seen.record)
                again.exc_info, again.exc_text, again.stack_info = None, None, None
                again.repeated = seen.count - MOST
                super().emit(again)
        self._first_end = min((each.until for each in self._seen.values()), default=0.0)
