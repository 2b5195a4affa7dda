"""Campaigns and reviewers in few words, and what a plan of them says, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.plan import Enrolment, Moment, Plan, Versions, make_plan
from certmail_config.campaigns.reviewer import Reviewer
from certmail_config.campaigns.sent import Sent

VERSIONS: Final = Versions("0", "0", "0")
START: Final = {"id": "start", "on": "start", "kind": "notice"}
REGULAR: Final = {"id": "regular", "every": "3 working days", "at_most": 5, "kind": "reminder"}
BEFORE: Final = {"id": "before", "before_due": [7, 3, 1], "kind": "reminder"}
LATE: Final = {"id": "late", "overdue": "2 working days", "at_most": 4, "kind": "overdue"}
BOSS: Final = {"id": "boss", "escalate_after": 3, "to": "manager"}
BEFORE_ALL: Final = "2026-10-01T00:00:00Z"
"""Before any of the campaigns here."""


def campaign(*rules: dict[str, Any], **changed: Any) -> Campaign:
    """Monday 2 November to Friday 11 December 2026, in Berlin without its holidays."""
    return Campaign.model_validate(
        {
            "tenant": "acme",
            "id": "q4",
            "start": "2026-11-02T09:00:00+01:00",
            "due": "2026-12-11T17:00:00+01:00",
            "owner": "grc@acme.example",
            "time_zone": "Europe/Berlin",
            "rule": list(rules) or [START],
            **changed,
        }
    )


def reviewer(name: str = "r", **changed: Any) -> Reviewer:
    """Somebody who has something left to decide."""
    return Reviewer.model_validate(
        {"id": name, "to": f"{name}@acme.example", "pending": 3, **changed}
    )


def plan(
    what: Campaign, *reviewers: Reviewer, now: str = BEFORE_ALL, sent: Sequence[Sent] = ()
) -> Plan:
    """Of one campaign, for one reviewer if none is named."""
    enrolment = Enrolment(what, reviewers or [reviewer()], sent=sent)
    return make_plan([enrolment], datetime.fromisoformat(now), VERSIONS)


def plans(*enrolments: Enrolment, now: str = BEFORE_ALL) -> Plan:
    """Of several campaigns."""
    return make_plan(enrolments, datetime.fromisoformat(now), VERSIONS)


def sent(rule: str, ordinal: int, at: str, kind: str = "reminder", **changed: Any) -> Sent:
    """A mail that Gmail took."""
    given = {"reviewer": "r", "rule": rule, "ordinal": ordinal, "at": at, "kind": kind}
    return Sent.model_validate({**given, **changed})


def days(made: Plan) -> dict[str, str]:
    """On which date each mail goes: such as start 1 on 2026-11-02."""
    return {f"{each.rule} {each.ordinal}": each.date.isoformat() for each in made.moments}


def kinds(made: Plan) -> dict[str, str]:
    """Which mail each is."""
    return {f"{each.rule} {each.ordinal}": each.kind for each in made.moments}


def dropped(made: Plan) -> dict[str, str]:
    """Why each of the others does not go."""
    return {f"{each.rule} {each.ordinal}": each.why.value for each in made.non_moments}


def at(made: Plan, which: str) -> str:
    """When a mail goes, in UTC."""
    [found] = [each for each in made.moments if f"{each.rule} {each.ordinal}" == which]
    return found.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def lived(
    what: Campaign, people: Sequence[Reviewer], first: datetime, steps: Sequence[bool]
) -> list[Sent]:
    """What went if a planner had looked every six hours, and sent what was due then.

    Where a step is false, everything stood still.
    """
    gone: list[Sent] = []
    for number, runs in enumerate(steps):
        now = first + timedelta(hours=6) * number
        if runs:
            made = make_plan([Enrolment(what, people, sent=gone)], now, VERSIONS)
            gone += [as_sent(each) for each in made.moments if each.at <= now]
    return gone


def as_sent(each: Moment) -> Sent:
    """A mail of a plan, as if Gmail had taken it then."""
    return Sent(
        reviewer=each.reviewer, rule=each.rule, ordinal=each.ordinal, at=each.at, kind=each.kind
    )
