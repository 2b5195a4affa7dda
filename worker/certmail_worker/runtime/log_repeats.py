"""Counts log lines that repeat, so that no trouble fills the disk.

After a few lines that say the same, a count stands for the others.

A warning is counted with those that are the same in all they say. A line of any level that says
whom it is `alike` (in its `extra`) is counted with those that say the same, whatever else they say:
the first is written, and one a minute.
"""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TextIO

MAX_LINES: Final = 5
"""How often the same line is written within a window."""
WINDOW_SECONDS: Final = 10.0
ALIKE_SECONDS: Final = 60.0
KNOWN: Final = 500
"""How many kinds of lines are remembered.

Of more than these, those that say whom they are alike are counted together.
"""
_USUAL: Final = logging.makeLogRecord({}).__dict__.keys() | {"message", "asctime"}


@dataclass(slots=True)
class _Repeated:
    """A line, how often it is written and came, and until when it is counted."""

    record: logging.LogRecord
    limit: int
    until: float
    count: int = 0

    @property
    def left_out(self) -> int:
        """How many were only counted."""
        return self.count - self.limit


class CollapsingHandler(logging.StreamHandler[TextIO]):
    """Writes lines; one of which there were enough is counted instead, and the count said later."""

    def __init__(self, stream: TextIO, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(stream)
        self._monotonic = monotonic
        self._seen: dict[tuple[object, ...], _Repeated] = {}
        self._first_end = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        """Write it, or count it."""
        if self._seen and self._monotonic() >= self._first_end:
            self._say_counts(self._monotonic())
        if not self._is_one_more(record):
            super().emit(record)

    def close(self) -> None:
        """Say what was counted."""
        self._say_counts(float("inf"))
        super().close()

    def _is_one_more(self, record: logging.LogRecord) -> bool:
        alike = record.__dict__.pop("alike", None)
        if alike is None and record.levelno < logging.WARNING:
            return False

        more = {name: value for name, value in record.__dict__.items() if name not in _USUAL}
        key = self._key(record, repr(more) if alike is None else alike)
        seen = self._seen.get(key)
        if seen is None and len(self._seen) >= KNOWN:
            if alike is None:
                return False
            key = self._key(record, "")  # names that somebody makes up do not fill the memory
            seen = self._seen.get(key)
        if seen is None:
            limit, seconds = (MAX_LINES, WINDOW_SECONDS) if alike is None else (1, ALIKE_SECONDS)
            seen = self._seen[key] = _Repeated(record, limit, self._monotonic() + seconds)
            self._first_end = min(each.until for each in self._seen.values())
        seen.count += 1
        return seen.left_out > 0

    @staticmethod
    def _key(record: logging.LogRecord, kind: str) -> tuple[object, ...]:
        return (record.name, record.levelno, record.getMessage(), kind)

    def _say_counts(self, now: float) -> None:
        ended = [key for key, seen in self._seen.items() if seen.until <= now]
        for key in ended:
            seen = self._seen.pop(key)
            if seen.left_out > 0:
                again = copy.copy(seen.record)
                again.exc_info, again.exc_text, again.stack_info = None, None, None
                again.repeated = seen.left_out
                super().emit(again)
        self._first_end = min((each.until for each in self._seen.values()), default=0.0)
