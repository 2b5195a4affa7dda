"""After the storm: waiting until nothing moves any more, for a bounded time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from chaos import reading
from chaos.fleet import Fleet
from support.town import Town

LOOK_SECONDS: Final = 0.5


def settle(
    place: Town,
    fleet: Fleet,
    jobs: Mapping[str, str],
    looked_up: frozenset[str],
    seconds: float,
    negatives_verified: bool,
) -> bool:
    """Wait until each job is at its end or held, SQL knows it, and those that can be looked up were found.

    Gives whether that came about in time; the scoreboard names whoever is left. `jobs` gives each job's mailbox.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        fleet.mind()
        moving, held = reading.unfinished(place.office.redis, list(jobs))
        if not moving and reading.is_recorded(place):
            doubtful = held & looked_up
            if doubtful and not negatives_verified:
                doubtful &= set(reading.copies(place, {jobs[job] for job in doubtful}))
            if not doubtful:
                return True
        time.sleep(LOOK_SECONDS)
    return False
