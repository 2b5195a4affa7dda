"""Counts log lines that repeat, so that no trouble, and nobody who makes some, fills the disk.

The first lines of a kind are written; then a count stands for the others, in a line a minute with
`repeated`, for as long as they come.

Warnings, and what is worse, are of one kind if they say the same of the same tenant, connection and
so on, whichever job or request it was. A line of any level that says whom it is `alike` (in its
`extra`) is of a kind with those that say the same, whatever else they say; `EACH` is written each
time.
"""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TextIO

MAX_LINES: Final = 5
"""How many lines of a kind are written before the rest is counted; of those that are `alike`, 1."""
MINUTE: Final = 60.0
"""How often a count is said, and after how much silence a kind is new again."""
KNOWN: Final = 1_000
"""How many kinds are remembered.

Of more than these, those of one place in the code are counted together.
"""
EACH: Final = ""
"""In the place of `alike`: however often it comes, each line is written."""
_OF_ONE: Final = frozenset(
    {"job", "jobs", "attempt", "tries", "request", "task_id", "ms", "events", "cursor", "from"}
)
"""What tells lines of one kind apart: it is left out where kinds are compared, and of a count."""
_USUAL: Final = logging.makeLogRecord({}).__dict__.keys() | {"message", "asctime"} | _OF_ONE


@dataclass(slots=True)
class _Kind:
    """A line, how many more of its kind may be written, and how many were counted, until when."""

    record: logging.LogRecord
    left: int
    until: float
    counted: int = 0


class CollapsingHandler(logging.StreamHandler[TextIO]):
    """Writes lines; one of which there were enough is counted instead, and the count said later."""

    def __init__(self, stream: TextIO, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(stream)
        self._monotonic = monotonic
        self._kinds: dict[tuple[object, ...], _Kind] = {}
        self._next_end = float("inf")

    def emit(self, record: logging.LogRecord) -> None:
        """Write it, or count it."""
        if self._kinds and self._monotonic() >= self._next_end:
            self._say_counts(self._monotonic())

        alike = record.__dict__.get("alike")
        if (alike is None and record.levelno < logging.WARNING) or alike == EACH:
            super().emit(record)
            return

        try:
            counted = self._is_one_more(record, alike)
        except Exception:  # noqa: BLE001 - what cannot be made a line of, as in `emit` itself
            self.handleError(record)
            return
        if not counted:
            super().emit(record)

    def close(self) -> None:
        """Say what was counted."""
        self._say_counts(float("inf"))
        super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Say that a line could not be written, as a line: logging's own words are none."""
        why = logging.LogRecord(record.name, logging.ERROR, "", 0, "line_lost", None, None)
        why.__dict__["lost"] = str(record.msg)[:200]
        with suppress(Exception):  # where nothing can be written, nothing can be said
            self.stream.write(self.format(why) + self.terminator)

    def _is_one_more(self, record: logging.LogRecord, alike: object) -> bool:
        kind = self._kind_of(record, alike)
        if kind.left > 0:
            kind.left -= 1
            return False
        kind.counted += 1
        return True

    def _kind_of(self, record: logging.LogRecord, alike: object) -> _Kind:
        key = (record.name, record.levelno, *_words(record, alike))
        kind = self._kinds.get(key)
        if kind is None and len(self._kinds) >= KNOWN:
            # Names that somebody makes up; our own events have none within.
            place = record.msg if record.name.startswith("certmail") else ""
            key = (record.name, record.levelno, place)
            kind = self._kinds.get(key)

        if kind is None:
            until = self._monotonic() + MINUTE
            kind = self._kinds[key] = _Kind(record, MAX_LINES if alike is None else 1, until)
            self._next_end = min(self._next_end, until)
        return kind

    def _say_counts(self, now: float) -> None:
        for key, kind in list(self._kinds.items()):
            if kind.until > now:
                continue
            if not kind.counted:
                del self._kinds[key]
                continue

            super().emit(_count_of(kind))
            kind.left, kind.counted, kind.until = 0, 0, now + MINUTE

        self._next_end = min((each.until for each in self._kinds.values()), default=float("inf"))


def _count_of(kind: _Kind) -> logging.LogRecord:
    """The line that stands for those that were counted, without what was one's own."""
    again = copy.copy(kind.record)
    again.exc_info, again.exc_text, again.stack_info = None, None, None
    again.created = time.time()
    for name in list(again.__dict__):
        if name in _OF_ONE or name == "age_s" or name.endswith("_ms"):
            del again.__dict__[name]

    again.__dict__["repeated"] = kind.counted
    return again


def _words(record: logging.LogRecord, alike: object) -> tuple[object, ...]:
    """What makes a line one of its kind."""
    if alike is not None:
        return (record.msg, alike)
    fields = {name: value for name, value in record.__dict__.items() if name not in _USUAL}
    return (record.getMessage(), repr(fields), _raised_at(record))


def _raised_at(record: logging.LogRecord) -> tuple[object, ...]:
    """What was raised, and where: another error is another kind."""
    if not record.exc_info or (trace := record.exc_info[2]) is None:
        return ()
    while trace.tb_next is not None:
        trace = trace.tb_next
    return (record.exc_info[0], trace.tb_frame.f_code.co_filename, trace.tb_lineno)
