"""What comes next of a campaign, in numbers. Pure.

Reviewers of whom all is equal that matters have one decision, which is counted and not written out:
a hundred thousand have a few hundred.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from certmail_config.campaigns.deciding.case import Decision, Dropped, Going
from certmail_config.campaigns.plan import Enrolment, decisions
from certmail_config.campaigns.why import WhyNot

DAYS_AHEAD: Final = 7


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """What comes next: when the first mails leave, how many on each day, and why others do not."""

    first_at: datetime | None
    days: Mapping[date, int]
    """For the next days, in the reviewers' dates."""
    later: int
    not_going: Mapping[WhyNot, int]


NOTHING: Final = PlanSummary(None, {}, 0, {})


def count_coming(enrolments: Sequence[Enrolment], campaign: str, now: datetime) -> PlanSummary:
    """Count one campaign's mails, given it and its tenant's others; raises NoWorkingDay."""
    alike: Counter[tuple[tuple[str, ...], int]] = Counter()
    found: dict[int, Decision] = {}
    for campaigns, decision in decisions(enrolments, now):
        found[id(decision)] = decision
        alike[campaigns, id(decision)] += 1

    first: datetime | None = None
    days: Counter[date] = Counter()
    not_going: Counter[WhyNot] = Counter()
    for (campaigns, which), count in alike.items():
        for going in _going(found[which], campaigns, campaign):
            first = going.at if first is None else min(first, going.at)
            days[going.day] += count
        for dropped in _dropped(found[which], campaigns, campaign):
            not_going[dropped.why] += count

    until = now.date() + timedelta(days=DAYS_AHEAD)
    near = {day: count for day, count in sorted(days.items()) if day <= until}
    return PlanSummary(
        first, near, days.total() - sum(near.values()), dict(sorted(not_going.items()))
    )


def _going(decision: Decision, campaigns: Sequence[str], campaign: str) -> Iterator[Going]:
    """Its mails, and the digests that it has a part in."""
    for each in decision.going:
        if campaign in {campaigns[each.case], *(campaigns[part.case] for part in each.parts)}:
            yield each


def _dropped(decision: Decision, campaigns: Sequence[str], campaign: str) -> Iterator[Dropped]:
    return (each for each in decision.dropped if campaigns[each.case] == campaign)
