"""Lanes as they were seen a moment ago, so that not every reminder has to ask for them again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final

from certmail_config.base.ids import ConnectionId
from certmail_config.ledger.survey import LaneSurvey

SECONDS: Final = 1.0
"""How long a look at a lane counts."""
JOBS: Final = 200
"""After so many reminders it counts for nothing any more: they have changed what waits."""


class RecentSurveys:
    """Remembers lanes, none of them for longer than a second, or for more than 200 reminders."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._good_until = 0.0
        self._jobs_left = 0
        self._seen: dict[ConnectionId, LaneSurvey | None] = {}

    def missing(self, lanes: Iterable[ConnectionId], jobs: int) -> list[ConnectionId]:
        """Those of the lanes that are to be looked at, in order, now that so many reminders come."""
        self._jobs_left -= jobs
        if self._jobs_left < 0 or self._monotonic() >= self._good_until:
            self._seen.clear()
            self._good_until = self._monotonic() + SECONDS
            self._jobs_left = JOBS - jobs

        return sorted(set(lanes) - self._seen.keys())

    def keep(self, lane: ConnectionId, seen: LaneSurvey | None) -> None:
        """Remember a lane as it is seen now; None where there is no such lane."""
        self._seen[lane] = seen

    def get(self, lane: ConnectionId) -> LaneSurvey | None:
        """The lane as it was seen; None where it was not, or is none."""
        return self._seen.get(lane)
