"""The companies of the year, drawn from a seed: who works where, for whom, and in whose absence. Pure."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from year.places import PLACES, Place

HOMES: Final = (0.3, 0.45, 0.6)
"""Which part of a company works where its head office is; the others are spread over the world."""
WITH_MANAGER: Final = 0.9
TEAM: Final = 9
OWN_PROJECT: Final = 4
"""Every so-many-th company has a Cloud project of its own; all others share certmail's."""


@dataclass(frozen=True, slots=True)
class Company:
    """One tenant: its reviewers as a file has them, without what changes from campaign to campaign.

    `own_project`: a customer owned application, which lies in a project of the company's. Else a
    linked account, as those of all others in the one project of the application's.
    """

    tenant: str
    home: Place
    own_project: bool
    people: Sequence[dict[str, Any]]

    @property
    def mailbox(self) -> str:
        """Where its reminders come from."""
        return f"access-reviews@{self.tenant}.example"


def draw_companies(tenants: int, reviewers: int, seed: int) -> list[Company]:
    """So many, each with so many reviewers; the same seed draws the same."""
    return [_company(number, reviewers, _chance(seed, number)) for number in range(tenants)]


def _company(number: int, reviewers: int, chance: random.Random) -> Company:
    tenant, home = f"t{number:03d}", PLACES[number % len(PLACES)]
    at_home = chance.choice(HOMES)
    people = [
        _person(tenant, each, home if chance.random() < at_home else chance.choice(PLACES), chance)
        for each in range(reviewers)
    ]
    return Company(tenant, home, number % OWN_PROJECT == OWN_PROJECT - 1, people)


def _person(tenant: str, number: int, place: Place, chance: random.Random) -> dict[str, Any]:
    person = {
        "id": f"r{number}",
        "to": f"reviewer{number}@{tenant}.example",
        "name": f"Reviewer {number}",
        "locale": place.locale,
        "time_zone": place.zone,
        "country": place.country,
        "subdivision": place.subdivision,
    }
    if chance.random() < WITH_MANAGER:
        person["manager"] = f"manager{number // TEAM}@{tenant}.example"
    return {name: value for name, value in person.items() if value is not None}


def _chance(seed: int, number: int) -> random.Random:
    # To be drawn again, and no secret.
    return random.Random(f"{seed} company {number}")
