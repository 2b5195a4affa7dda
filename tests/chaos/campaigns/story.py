"""What people do in a storm's campaigns, and when: decided before it begins, from its seed. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from chaos.campaigns.cast import DUE, LATER, OVERDUE, CastCampaign

DONE_ON_THE_WAY: Final = 0.4
"""The part of reviewers who have nothing left before the storm is over."""
READDRESSED: Final = 0.3
REMOVED: Final = 0.15
"""The parts of those who have another address, and who are gone; some are both."""
PAUSED: Final = 0.2
"""For so much of the storm a campaign stands still."""


class Deed(StrEnum):
    """What somebody tells the gateway."""

    PUT = "put"
    """A campaign, with its reviewers."""
    COMPLETE = "complete"
    """A reviewer has nothing left."""
    READDRESS = "readdress"
    """A reviewer has another address."""
    REMOVE = "remove"
    """A reviewer is in the list no more."""
    MOVE = "move"
    """It is due on another day."""
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    REMIND = "remind"
    """Some are reminded now."""


@dataclass(frozen=True, slots=True)
class Act:
    """A deed: `at` counts from the storm's beginning, `version` is of an address."""

    at: float
    deed: Deed
    campaign: CastCampaign
    reviewers: tuple[str, ...] = ()
    version: int = 0
    due: timedelta = DUE


def story(campaigns: Sequence[CastCampaign], seconds: float, seed: int) -> tuple[Act, ...]:
    """All that is done while it blows, in order; afterwards every campaign is stopped."""
    acts = [
        act
        for number, campaign in enumerate(campaigns)
        for act in _of(campaign, number, len(campaigns), seconds, random.Random(f"{seed}:{number}"))
    ]
    return tuple(sorted(acts, key=lambda act: act.at))


def _of(
    campaign: CastCampaign, number: int, of: int, seconds: float, chance: random.Random
) -> Iterator[Act]:
    # Those with the same people come together, so that there is something for a digest.
    begins = 0.0 if campaign.shared else 0.4 * seconds * number / of
    yield Act(begins, Deed.PUT, campaign)

    def later() -> float:
        # More of it soon, while the first mails wait for their turn.
        return begins + (seconds - begins) * chance.random() ** 2

    people = chance.sample(campaign.names(), campaign.reviewers)
    done, readdressed, removed = (
        int(part * len(people)) for part in (DONE_ON_THE_WAY, READDRESSED, REMOVED)
    )
    for each in people[:done]:
        yield Act(later(), Deed.COMPLETE, campaign, (each,))
    for each in people[done : done + readdressed]:
        yield Act(later(), Deed.READDRESS, campaign, (each,), version=1)
    for each in people[done + readdressed - 1 :][:removed]:
        yield Act(later(), Deed.REMOVE, campaign, (each,))
    yield Act(later(), Deed.REMIND, campaign, tuple(people[-4:]))

    moves = begins + chance.uniform(0.1, 0.3) * seconds
    yield Act(moves, Deed.MOVE, campaign, due=LATER if campaign.new else OVERDUE)
    if number % 3 == 0:
        pauses = begins + chance.uniform(0.1, 0.3) * seconds
        yield Act(pauses, Deed.PAUSE, campaign)
        yield Act(pauses + PAUSED * seconds, Deed.RESUME, campaign)
    if number == of - 1:
        yield Act(0.8 * seconds, Deed.STOP, campaign)
