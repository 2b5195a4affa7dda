"""What a decision depends on, and what it says. Pure.

Two reviewers of whom all of it is equal have the same plan, which is made once.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from certmail_config.campaigns.cadence import Kind
from certmail_config.campaigns.slots import Slot, Timetable
from certmail_config.campaigns.why import WhyNot


class Went(NamedTuple):
    """One mail that went, on a local date.

    An `accepted` one counts for escalations; of others nobody knows.
    """

    rule: str
    ordinal: int
    day: date
    kind: Kind
    accepted: bool


class Deputy(NamedTuple):
    """Who gets somebody's mail, and on which days."""

    to: str
    first: date | None
    last: date | None

    def on(self, day: date) -> bool:
        """Whether it is one of the days."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


class Case(NamedTuple):
    """One person in one campaign."""

    timetable: Timetable
    complete: bool
    zone_assumed: bool
    has_manager: bool
    owner_manages: bool
    sent: tuple[Went, ...]
    deputy: Deputy | None
    """Only of a person in several campaigns: there it matters what goes to whom."""


class Candidate(NamedTuple):
    """What may still go: a slot, on its own day or caught up on a later one."""

    case: int
    slot: Slot
    day: date
    stands_for: tuple[Slot, ...] = ()

    @property
    def caught_up(self) -> bool:
        """Whether it goes on another day than its own."""
        return self.day != self.slot.day


class Going(NamedTuple):
    """A mail that goes; a digest has several parts, the most urgent first."""

    case: int
    slot: Slot
    day: date
    at: datetime
    kind: Kind
    why: str
    parts: tuple[Candidate, ...]


class Dropped(NamedTuple):
    """What does not go, and why."""

    case: int
    slot: Slot
    why: WhyNot


class Decision(NamedTuple):
    """All that the rules name for one person, on one side or the other."""

    going: tuple[Going, ...]
    dropped: tuple[Dropped, ...]
