"""Who becomes done on the way, if one wants to see that nobody is reminded after it. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from certmail_config.campaigns.plan import Enrolment


class Completion(NamedTuple):
    """A reviewer of a campaign has nothing left from a time on."""

    at: datetime
    tenant: str
    campaign: str
    reviewer: str


def named(enrolments: Sequence[Enrolment], reviewer: str, at: datetime) -> list[Completion]:
    """Somebody is done at a time, in each campaign that has them; nothing where none has."""
    return [
        Completion(at, each.campaign.tenant, each.campaign.id, reviewer)
        for each in enrolments
        if any(row.id == reviewer for row in each.reviewers)
    ]


def drawn(
    enrolments: Sequence[Enrolment], share: float, begins: datetime, seed: int
) -> list[Completion]:
    """So large a share of those who have something left is done by and by until it is due.

    The same seed draws the same, whoever it is and whenever.
    """
    # To be drawn again, and no secret.
    chance = random.Random(seed)  # noqa: S311
    return [each for enrolment in enrolments for each in _drawn(enrolment, share, begins, chance)]


def _drawn(
    enrolment: Enrolment, share: float, begins: datetime, chance: random.Random
) -> Iterator[Completion]:
    campaign = enrolment.campaign
    left = sorted(each.id for each in enrolment.reviewers if each.pending != 0)
    first = max(begins, campaign.start)
    span = max((campaign.due - first).total_seconds(), 0.0)

    for reviewer in chance.sample(left, round(share * len(left))):
        at = first + timedelta(seconds=round(chance.uniform(0, span)))
        yield Completion(at, campaign.tenant, campaign.id, reviewer)
