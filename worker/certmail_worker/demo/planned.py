"""The demo's campaigns: whom they remind today, wherever on Earth it is the middle of the day. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.reviewer import Reviewer

_ZONES: Final = ("Europe/Berlin", "America/Los_Angeles", "Asia/Tokyo")
"""In one of them it is always day."""
_DAYTIME: Final = range(5, 19)
_DAY: Final = timedelta(days=1)
_EVERY_HOUR: Final = {
    "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    "window": "00:00-24:00",
}
"""The demo is run on any day, at any hour."""
DONE: Final = ("r11", "r12", "r13", "r14")
"""Reviewers of the quarterly review who decide before their mail has left."""
ASKED: Final = ("r1", "r2")
"""Who is reminded once more, by hand."""
DEPUTY: Final = "deputy.for.anna@acme.example"
_NAMES: Final = (
    "Anna Keller", "Ben Ortiz", "Chloé Martin", "Dmitri Volkov", "Elif Çelik", "Femi Adeyemi",
    "Greta Lindqvist", "Hiro Tanaka", "Inês Carvalho", "Jonas Weber", "Kavya Rao", "Liam Murphy",
    "Mei Chen", "Nora Haddad",
)  # fmt: skip


class PlannedCampaign(NamedTuple):
    """A campaign with its reviewers."""

    campaign: Campaign
    reviewers: Sequence[Reviewer]


def daytime_zone(now: datetime) -> str:
    """A zone whose midnight is hours away: of a mail a day the demo needs one day."""
    local = {name: now.astimezone(ZoneInfo(name)).hour for name in _ZONES}
    return next(name for name, hour in local.items() if hour in _DAYTIME)


def quarterly(now: datetime) -> PlannedCampaign:
    """A notice to everybody today, to one of them through their deputy; more on later days."""
    campaign = _campaign(
        now,
        tenant="acme",
        id="quarterly",
        name="Quarterly access review",
        start=now,
        due=now + 9 * _DAY,
        rule=[{"id": "start", "on": "start"}, {"id": "before", "before_due": [3, 1]}],
    )
    away = {
        "deputy": DEPUTY,
        "deputy_from": (now - 2 * _DAY).date().isoformat(),
        "deputy_until": (now + 7 * _DAY).date().isoformat(),
    }
    people = [*_people("acme", "r", _NAMES)]
    return PlannedCampaign(
        campaign, [Reviewer.model_validate(people[0].model_dump() | away), *people[1:]]
    )


def privileged(now: datetime) -> PlannedCampaign:
    """Nothing today, before its due date is moved."""
    campaign = _campaign(
        now,
        tenant="acme",
        id="privileged",
        name="Privileged accounts",
        start=now - 20 * _DAY,
        due=now + 6 * _DAY,
        rule=[
            {"id": "before", "before_due": [1]},
            {"id": "late", "overdue": "1 day", "at_most": 1},
            {"id": "boss", "overdue_by": "1 day", "to": "manager"},
        ],
    )
    return PlannedCampaign(campaign, [*_people("admins.acme", "p", _NAMES[:3])])


def moved(campaign: Campaign, now: datetime) -> Campaign:
    """The same, which was due yesterday: today it is overdue, and managers are told."""
    return campaign.with_due(now - _DAY)


def of_globex(now: datetime) -> Sequence[PlannedCampaign]:
    """Two that begin today; whoever is in both gets one digest."""
    rules = [{"id": "start", "on": "start"}, {"id": "before", "before_due": [3, 1]}]
    made = [
        _campaign(
            now, tenant="globex", id=id_, name=name, start=now, due=now + days * _DAY, rule=rules
        )
        for id_, name, days in (
            ("sox", "SOX controls", 9),
            ("vendors", "Vendor access", 20),
        )
    ]
    return [
        PlannedCampaign(made[0], [*_people("globex", "g", _NAMES[:8])]),
        PlannedCampaign(made[1], [*_people("globex", "v", _NAMES[:5])]),
    ]


def _campaign(now: datetime, **fields: Any) -> Campaign:
    zone = daytime_zone(now)
    link = f"https://iga.{fields['tenant']}.example/c/{fields['id']}?r={{reviewer}}"
    return Campaign.model_validate(
        {"time_zone": zone, "calendar": _EVERY_HOUR, "link": link} | fields
    )


def _people(domain: str, prefix: str, names: Sequence[str]) -> Iterator[Reviewer]:
    for number, name in enumerate(names, 1):
        yield Reviewer.model_validate(
            {
                "id": f"{prefix}{number}",
                "to": f"reviewer{number}@{domain}.example",
                "name": name,
                "manager": f"manager{number % 2 + 1}@{domain}.example",
                "pending": 3 + number,
                "completed": number,
            }
        )
