"""The campaigns of a company's year, and what its upstream tells of them, drawn from a seed. Pure."""

from __future__ import annotations

import random
import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from certmail_config.campaigns.presets import PRESETS
from year.companies import Company

WEEKS: Final = 4
"""How long a campaign lasts."""
STARTS: Final = (0, 0, 0, 1, 1, 2, 3, 7, 8, 9)
"""On which days after a quarter's first Monday companies begin: most on the first."""
DEPUTIES: Final = 0.04
MOVED: Final = 0.06
"""Which part of the campaigns gets another due date half-way."""
PUT_BEFORE: Final = timedelta(days=10)
OVER: Final = timedelta(days=24)
"""So long after it is due a campaign is stopped and removed: its last mail has gone."""
NEVER: Final = 0.03
HALF_WAY: Final = 0.3


class Told(NamedTuple):
    """News that upstream tells of a reviewer: what is left to them."""

    reviewer: str
    pending: int
    completed: int


@dataclass(frozen=True, slots=True)
class Quarter:
    """One campaign, as its file has it, with its reviewers.

    `told` is when upstream tells what, `moved` when it gets which other due date.
    """

    number: int
    campaign: dict[str, Any]
    reviewers: Sequence[dict[str, Any]]
    put_at: datetime
    told: Mapping[datetime, Sequence[Told]]
    moved: tuple[datetime, datetime] | None = None
    over_at: datetime = field(init=False)

    def __post_init__(self) -> None:
        due = max(self.due, self.moved[1]) if self.moved else self.due
        object.__setattr__(self, "over_at", due + OVER)

    @property
    def tenant(self) -> str:
        return str(self.campaign["tenant"])

    @property
    def id(self) -> str:
        return str(self.campaign["id"])

    @property
    def start(self) -> datetime:
        return datetime.fromisoformat(self.campaign["start"])

    @property
    def due(self) -> datetime:
        return datetime.fromisoformat(self.campaign["due"])

    def with_due(self, due: datetime) -> dict[str, Any]:
        """The campaign, due at another time."""
        return {**self.campaign, "due": due.isoformat()}


def draw_quarters(company: Company, year: int, seed: int) -> list[Quarter]:
    """A campaign in each quarter; the same seed draws the same."""
    # To be drawn again, and no secret.
    chance = random.Random(f"{seed} quarters {company.tenant}")
    tells_at = time(chance.randrange(24), chance.randrange(60))
    return [_quarter(company, year, number, tells_at, chance) for number in range(1, 5)]


def _quarter(
    company: Company, year: int, number: int, tells_at: time, chance: random.Random
) -> Quarter:
    zone = ZoneInfo(company.home.zone)
    day = _first_monday(year, 3 * number - 2) + timedelta(days=chance.choice(STARTS))
    start = datetime.combine(day, time(9), zone)
    due = datetime.combine(day + timedelta(weeks=WEEKS), time(17), zone)
    campaign = {
        "tenant": company.tenant,
        "id": f"{year}-q{number}",
        "name": "Quarterly access review",
        "start": start.isoformat(),
        "due": due.isoformat(),
        "owner": f"grc@{company.tenant}.example",
        "link": f"https://iga.{company.tenant}.example/{year}-q{number}/{{reviewer}}",
        "time_zone": company.home.zone,
        "calendar": {"country": company.home.country},
        "rule": tomllib.loads(PRESETS["standard"])["rule"],
    }

    reviewers = [_reviewer(each, start, chance) for each in company.people]
    moved = _moved(start, due, chance) if chance.random() < MOVED else None
    told = _told(reviewers, start, due, tells_at, chance)
    return Quarter(number, campaign, reviewers, start - PUT_BEFORE, told, moved)


def _reviewer(person: dict[str, Any], start: datetime, chance: random.Random) -> dict[str, Any]:
    reviewer = {**person, "pending": chance.randint(1, 30), "completed": 0}
    if chance.random() < DEPUTIES:
        away = start.date() + timedelta(days=chance.randrange(WEEKS * 7))
        reviewer |= {
            "deputy": person["to"].replace("reviewer", "deputy"),
            "deputy_from": away.isoformat(),
            "deputy_until": (away + timedelta(days=chance.randint(4, 14))).isoformat(),
        }
    return reviewer


def _moved(start: datetime, due: datetime, chance: random.Random) -> tuple[datetime, datetime]:
    """When it becomes known, and the new due date.

    At twenty-five past: by then whatever became due at a full, half or quarter hour has left.
    """
    at = (start + timedelta(days=chance.randint(8, 20))).astimezone(UTC)
    at = at.replace(hour=chance.randrange(24), minute=25, second=0)
    return at, due + timedelta(days=chance.choice((-3, 4, 7, 14)))


def _told(
    reviewers: Sequence[dict[str, Any]],
    start: datetime,
    due: datetime,
    tells_at: time,
    chance: random.Random,
) -> dict[datetime, list[Told]]:
    """What upstream tells each day: a company's system exports its progress at a time of its own."""
    told: defaultdict[datetime, list[Told]] = defaultdict(list)
    for each in reviewers:
        done_at = _done_at(start, due, chance)
        if done_at is None:
            continue
        pending = each["pending"]
        if pending > 1 and chance.random() < HALF_WAY:
            half = start + (done_at - start) * chance.uniform(0.3, 0.9)
            left = chance.randint(1, pending - 1)
            told[_next(half, tells_at)].append(Told(each["id"], left, pending - left))
        told[_next(done_at, tells_at)].append(Told(each["id"], 0, pending))
    return dict(sorted(told.items()))


def _done_at(start: datetime, due: datetime, chance: random.Random) -> datetime | None:
    """When somebody is done, as people are: at once, by and by, in the last days, late, never."""
    kind, span = chance.random(), due - start
    if kind < NEVER:
        return None
    if kind < NEVER + 0.05:
        return due + timedelta(days=chance.uniform(0, 10))
    if kind < NEVER + 0.05 + 0.20:
        return due - timedelta(days=chance.uniform(0, 4))
    if kind < NEVER + 0.05 + 0.20 + 0.42:
        return start + span * chance.random()
    return start + min(timedelta(days=chance.expovariate(1 / 2)), span)


def _next(at: datetime, tells_at: time) -> datetime:
    at = at.astimezone(UTC)
    told = datetime.combine(at.date(), tells_at, UTC)
    return told if told > at else told + timedelta(days=1)


def _first_monday(year: int, month: int) -> date:
    second = date(year, month, 2)  # the first of January is nobody's working day
    return second + timedelta(days=-second.weekday() % 7)
