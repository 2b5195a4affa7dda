"""One mail a day to each person: the most urgent goes, and stands for the others. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable
from datetime import date

from certmail_config.campaigns.cadence import URGENCY
from certmail_config.campaigns.deciding.case import Candidate, Case
from certmail_config.campaigns.slots import Slot


def urgency(slot: Slot) -> tuple[int, int, int]:
    """The lowest goes; of equals the rule that stands first."""
    return URGENCY.get(slot.kind, 0), slot.place, slot.ordinal


def merge(
    number: int, slots: Iterable[Slot], sent: Collection[date]
) -> tuple[list[Candidate], list[Slot]]:
    """Of one campaign's slots for a reviewer: what stands on each date, and what does not.

    Where something was sent on a date, it stood for all others.
    """
    by_date: defaultdict[date, list[Slot]] = defaultdict(list)
    for slot in slots:
        by_date[slot.day].append(slot)

    standing, merged = [], []
    for day, meeting in by_date.items():
        if day in sent:
            merged += meeting
            continue
        first, *others = sorted(meeting, key=urgency)
        standing.append(Candidate(number, first, day, tuple(others)))
        merged += others

    return standing, merged


def merge_escalations(
    case: Case, number: int, slots: Iterable[Slot], standing: Iterable[Candidate] = ()
) -> tuple[list[Candidate], list[Slot]]:
    """Of a reviewer's escalations those that go to one person on one date: the first rule's."""
    taken: set[Hashable] = {(each.day, whom(case, each.slot)) for each in standing}
    found, merged = [], []

    for slot in sorted(slots, key=lambda each: each.place):
        if (slot.day, whom(case, slot)) in taken:
            merged.append(slot)
        else:
            taken.add((slot.day, whom(case, slot)))
            found.append(Candidate(number, slot, slot.day))

    return found, merged


def whom(case: Case, slot: Slot) -> str:
    """Who gets an escalation: the owner may be the manager."""
    return "owner" if slot.to == "manager" and case.owner_manages else slot.to
