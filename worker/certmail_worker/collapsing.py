"""Log lines that would come by the thousand: the first of its kind is written, then one a minute with how many there were."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Final

EACH_SECONDS: Final = 60.0
MOST_KINDS: Final = 100
"""Kinds beyond this are counted together, so that nobody can fill the memory with names."""


class Collapsing:
    """Writes for one logger; used by one thread at a time."""

    def __init__(self, log: logging.Logger, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._monotonic = monotonic
        self._told: dict[str, tuple[float, int]] = {}

    def error(self, event: str, kind: str, *, level: int = logging.ERROR, **more: Any) -> None:
        """Say that something of this kind happened; `times` is how often since it was last said."""
        if kind not in self._told and len(self._told) >= MOST_KINDS:
            kind = "others"
        at, count = self._told.get(kind, (float("-inf"), 0))
        now = self._monotonic()
        if now < at + EACH_SECONDS:
            self._told[kind] = (at, count + 1)
            return
        self._told[kind] = (now, 0)
        self._log.log(level, event, extra={"why": kind, "times": count + 1, **more})
