"""A week's shape, compressed: when it is night, day or morning peak, and what is enqueued by then.

Pure. It begins on Monday at midnight, and Monday's mornings have twice as much as others. Seconds
are those of the compressed week.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HOURS: Final = 24
WEEK_HOURS: Final = HOURS * len(DAYS)
WEEK_SECONDS: Final = WEEK_HOURS * 3600.0
MORNING, NOON, EVENING, WEEKEND = 8, 10, 18, 5
MONDAY: Final = 2.0
REMEMBERED_HOURS: Final = 6
"""How long what has ended is remembered: so short that each night begins anew with an empty store."""
LEAST_SECONDS: Final = 15.0


class Load(StrEnum):
    """How much there is to do."""

    NIGHT = "night"
    DAY = "day"
    PEAK = "peak"


SHARE: Final = {Load.NIGHT: 0.3, Load.DAY: 1.0, Load.PEAK: 3.0}


@dataclass(frozen=True, slots=True)
class Week:
    """A week in so many seconds, with so many reminders a second on average."""

    seconds: float
    rate: float

    @property
    def hour(self) -> float:
        """The seconds of an hour."""
        return self.seconds / WEEK_HOURS

    @property
    def factor(self) -> float:
        """How much faster than a real one it passes."""
        return WEEK_SECONDS / self.seconds

    @property
    def remembered(self) -> float:
        """How many seconds what has ended is remembered; the recorder needs some of them."""
        return max(REMEMBERED_HOURS * self.hour, LEAST_SECONDS)

    def load(self, at: float) -> Load:
        """How much there is to do at a time."""
        return _load(_hours(at, self.hour))

    def steady(self, at: float) -> Load | None:
        """The load at a time, if it was the same for as long as things are remembered.

        Only then what the stores hold can be compared with that of another day.
        """
        now = _hours(at, self.hour)
        loads = {_load(now - before) for before in range(REMEMBERED_HOURS + 1) if now >= before}
        return loads.pop() if len(loads) == 1 else None

    def due(self, at: float) -> int:
        """How many reminders are enqueued by then."""
        hours = min(_hours(at, self.hour), float(WEEK_HOURS))
        whole = int(hours)
        passed = sum(_weight(hour) for hour in range(whole))
        passed += _weight(whole) * (hours - whole) if whole < WEEK_HOURS else 0
        return round(self.rate * self.seconds * passed / _ALL)

    def name(self, at: float) -> str:
        """What time of the week it is."""
        hours = _hours(at, self.hour)
        day = DAYS[min(int(hours) // HOURS, len(DAYS) - 1)]
        return f"{day} {int(hours) % HOURS:02}:{int(hours % 1 * 60):02}"


def _hours(at: float, hour: float) -> float:
    # By a hair's breadth the sum of hours misses where the next one begins.
    return at / hour + 1e-9


def _load(hours: float) -> Load:
    day, hour = divmod(int(hours), HOURS)
    if day >= WEEKEND or not MORNING <= hour < EVENING:
        return Load.NIGHT
    return Load.PEAK if hour < NOON else Load.DAY


def _weight(hour: int) -> float:
    load = _load(hour)
    return SHARE[load] * (MONDAY if load is Load.PEAK and hour < HOURS else 1)


_ALL: Final = sum(_weight(hour) for hour in range(WEEK_HOURS))
