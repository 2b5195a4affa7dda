"""After the storm: waiting until nothing moves any more, for a bounded time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from chaos import reading
from chaos.fleet import Fleet
from chaos.retrying import BUSY
from support.deployment.deployment import Deployment

LOOK_SECONDS: Final = 0.5


def settle(
    place: Deployment,
    fleet: Fleet,
    jobs: Mapping[str, str],
    looked_up: frozenset[str],
    seconds: float,
    negatives_verified: bool,
) -> bool:
    """Wait until every job has settled.

    It is at its end or held, SQL knows it, and those that can be looked up were found.

    Gives up when nothing has got on for so many seconds: a machine that is slow is not what is
    judged. Gives whether it came about; the scoreboard names whoever is left. `jobs` gives each
    job's mailbox.
    """
    fewest, deadline = len(jobs) + 1, time.monotonic() + seconds
    while time.monotonic() < deadline:
        fleet.mind()
        with suppress(*BUSY):  # whoever is slow is asked again
            left = _left(place, jobs, looked_up, negatives_verified)
            if not left:
                return True
            if left < fewest:
                fewest, deadline = left, time.monotonic() + seconds
        time.sleep(LOOK_SECONDS)

    return False


def _left(
    place: Deployment, jobs: Mapping[str, str], looked_up: frozenset[str], negatives_verified: bool
) -> int:
    """How many are still to be waited for."""
    moving, held = reading.unfinished(place.admin.redis, list(jobs))
    if moving or not reading.is_recorded(place):
        return len(moving) + 1
    doubtful = held & looked_up
    if doubtful and not negatives_verified:
        doubtful &= set(reading.copies(place, {jobs[job] for job in doubtful}))
    return len(doubtful)
