"""What Google counts and how much of it is used: minutes and days; and the pauses that it asks for.

Times are milliseconds; where a project sends hundreds a second, part of one counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

from certmail_config.ledger.lanes import SEND_UNITS
from support.model.values import DAY

MINUTE: Final = 60_100
"""Google's minute, and a little more because clocks are not equally fast."""
SLOT: Final = 300_000
PACE: Final = 0.98
"""The share of what Google allows that is used."""
SLOWER: Final = 0.7
SLOWEST: Final = 0.1
RECOVERY: Final = 0.01 / 60_000
PLACE_RECOVERY: Final = 300_000
TRIPS: Final = 3
"""So many unknown outcomes in a row stop a mailbox.

So many for each of so many mailboxes stop their project.
"""


def fine(number: float) -> float:
    """As the ledger keeps it: to a thousandth."""
    return float(f"{number:.3f}")


def sends(units: int) -> int:
    """How many requests so many units are good for."""
    return max(1, units // SEND_UNITS)


def interval(units: int, share: float) -> float:
    """From one request to the next, in ms."""
    return math.ceil(60_000_000 * SEND_UNITS / (units * PACE * share)) / 1000


@dataclass
class Meter:
    """A minute of a mailbox in its project, or of a project."""

    next: float = 0.0
    """When it may be used next."""
    waited: float = 0.0
    """Since when it has waited for its minute to have room; 0 if it does not."""
    share: float = 1.0
    """What it used of its units when it was lowered; it recovers."""
    lowered_at: int = 0
    told: int = 0
    """How many units a minute Google said that it allows; that is believed for a day."""
    told_until: int = 0
    window: dict[str, float] = field(default_factory=dict)
    """What counts: leased jobs (inf), and requests until they leave the minute."""

    def used(self, now: int) -> int:
        """How much of this minute; what has left it is forgotten."""
        self.window = {name: at for name, at in self.window.items() if at > now}
        return len(self.window)

    def frees(self) -> float | None:
        """When the next one leaves the minute; None if one that is leased has to end first."""
        first = min(self.window.values())
        return None if first == math.inf else first

    @property
    def leased(self) -> set[str]:
        """Jobs that have a place in it for as long as they take."""
        return {name for name, at in self.window.items() if at == math.inf}

    def units(self, configured: int, now: int) -> int:
        return min(configured, self.told) if self.told_until > now else configured

    def limit(self, configured: int, now: int) -> int:
        """How many requests a minute may have."""
        return sends(self.units(configured, now))

    def pace(self, now: int) -> float:
        """The share of its units that is used for now."""
        return min(1.0, self.share + (now - self.lowered_at) * RECOVERY)

    def step(self, configured: int, now: int, warmth: float = 1) -> float:
        """How far one request moves `next`."""
        return interval(self.units(configured, now), self.pace(now) * warmth)

    def move_on(self, to: float) -> None:
        self.next, self.waited = fine(to), 0.0

    def slow_down(self, configured: int, told: int, begun_at: int, now: int) -> float | None:
        """Lower the pace, since Google refused what was believed to be allowed.

        Gives the share that is left, or None if that is no news.
        """
        if 0 < told < configured:
            known = self.told == told and self.told_until > now
            if known and begun_at < self.told_until - DAY:
                return None  # it left before that was known
            self.told, self.told_until = told, now + DAY
            if not known:
                return told / configured

            # Others use the same limit: slower than that.
        if begun_at < self.lowered_at:
            return None  # it left before the pace was lowered

        lower = max(SLOWEST, self.pace(now) * SLOWER)
        self.share, self.lowered_at = fine(lower), now
        return lower


@dataclass
class Day:
    """Messages of the last 24 hours of a mailbox or project, by five minutes."""

    slots: dict[int, int] = field(default_factory=dict)

    def used(self, now: int) -> int:
        """How many; five minutes count until their end is a day ago."""
        self.slots = {
            slot: count for slot, count in self.slots.items() if slot >= (now - DAY) // SLOT
        }
        return sum(self.slots.values())

    def frees(self) -> float:
        """When the next of them are a day ago."""
        return (min(self.slots) + 1) * SLOT + DAY

    def count(self, slot: int, by: int) -> None:
        if by < 0 and slot not in self.slots:
            return  # it is a day ago
        self.slots[slot] = self.slots.get(slot, 0) + by
        if self.slots[slot] == 0:
            del self.slots[slot]


@dataclass
class Gate:
    """Whether a mailbox or a project pauses. After a pause one job goes first, to probe."""

    cooling: int = 0
    """Until when."""
    cooled_at: int = 0
    """When that was decided."""
    cool_reason: str | None = None
    probe: bool = False
    strikes: int = 0
    """Pauses in a row of which nobody said how long."""
    unknowns: int = 0
    """Requests in a row of which Google did not say what became."""
    places: int | None = None
    """How many requests at once it took when it was told that there were too many."""
    places_at: int = 0
    """When that was."""

    def pause(self, until: int, *, named: bool, begun_at: int, reason: str, now: int) -> bool:
        """Pause until the latest deadline.

        A deadline of our own counts only for requests begun after the present pause was set.
        """
        if (not named and begun_at < self.cooled_at) or until <= self.cooling:
            return False
        self.cooling, self.cooled_at, self.cool_reason, self.probe = until, now, reason, True
        return True

    def room(self, maximum: int, now: int) -> int:
        """How many requests may be under way at once: one more after each five minutes."""
        if self.places is None:
            return maximum
        return min(maximum, self.places + max(0, now - self.places_at) // PLACE_RECOVERY)

    def lower_places(self, maximum: int, begun_at: int, now: int) -> int | None:
        """Too many were under way; gives how many may be, or None if that is no news."""
        if begun_at < self.places_at:
            return None  # it left before there were fewer
        self.places, self.places_at = max(1, self.room(maximum, now) // 2), now
        return self.places

    def works(self, now: int) -> None:
        """A mail was accepted: the pause is over for good, unless another has begun meanwhile."""
        self.unknowns = 0
        if self.cooling <= now:
            self.cooling, self.cooled_at, self.cool_reason, self.probe, self.strikes = (
                0,
                0,
                None,
                False,
                0,
            )
