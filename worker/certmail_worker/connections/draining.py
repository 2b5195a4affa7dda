"""Waiting for an end before something is erased.

For the end of the requests under way, and of what is not recorded yet.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from redis import Redis
from sqlalchemy import Engine

from certmail_config.base import redis_keys
from certmail_config.base.errors import Refused
from certmail_config.base.redis_answers import newest_entry
from certmail_config.settings import Settings
from certmail_worker.recording.consistency import order
from certmail_worker.recording.writer import START, read_cursor

MARGIN_SECONDS: Final = 30.0
"""So much longer than a lease is waited: a worker that was lost is noticed after its lease."""
PAUSE_SECONDS: Final = 0.25

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long all the waiting of one command may take, and what is said when it was in vain.

    `progress` is told what is waited for. `so_far` says what holds meanwhile, `remedy` what brings
    it to an end.
    """

    seconds: float
    progress: Progress
    so_far: str
    remedy: str
    _began: float = field(default_factory=time.monotonic)

    @property
    def is_over(self) -> bool:
        """Whether it has taken too long."""
        return time.monotonic() > self._began + self.seconds

    def wait(self, left: Callable[[], str]) -> None:
        """Wait until `left` gives no words any more; raises Refused when that takes too long.

        `left` says what is left.
        """
        shown = ""

        while words := left():
            if self.is_over:
                raise Refused(
                    "still_under_way", f"Waited in vain: {words}. {self.so_far}", self.remedy
                )
            if words != shown:
                self.progress(f"Waiting: {words}")
                shown = words
            pause()


def longest_wait(settings: Settings) -> float:
    """For how many seconds what is under way may take."""
    return settings.lease_seconds + MARGIN_SECONDS


def pause() -> None:
    """Give what is waited for some time."""
    time.sleep(PAUSE_SECONDS)


def under_way(count: int) -> str:
    """What is left of requests, in words; empty if none is."""
    return f"reminders that are under way: {count}" if count else ""


def unrecorded(engine: Engine, event: str) -> str:
    """What is left of recording all events up to one, in words; empty if it has been recorded."""
    return "the record is not up to date yet" if order(read_cursor(engine)) < order(event) else ""


def newest_event(redis: Redis) -> str:
    """The id of the newest event of the ledger; START where there is none."""
    newest = newest_entry(redis, redis_keys.EVENTS)
    return newest[0].decode() if newest else START
