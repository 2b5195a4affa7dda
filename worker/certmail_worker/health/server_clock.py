"""Judges whether a server's clock that leapt ahead may be believed; pure.

A minute or more without anybody noting the time looks like a leap, too: then the clocks of this
machine decide.
"""

from __future__ import annotations

from dataclasses import dataclass

TOLERANCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Sample:
    """What three clocks showed at one moment, seconds.

    The server's, this machine's since boot, and this machine's of the day.
    """

    server: float
    boot: float
    wall: float


def believable(last: Sample | None, now: Sample) -> bool:
    """Whether the server's clock went on as this machine's did.

    At first, whether both show the same time of day.
    """
    if last is None:
        return abs(now.server - now.wall) <= TOLERANCE_SECONDS
    return now.server - last.server <= now.boot - last.boot + TOLERANCE_SECONDS
