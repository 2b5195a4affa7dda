"""What comes next, counted: as many as the plan has, of one campaign among others."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Final

from certmail_config.campaigns.coming import DAYS_AHEAD, NOTHING, count_coming
from certmail_config.campaigns.plan import Enrolment, Plan, Versions, make_plan
from support.campaigns.kept import a_campaign, a_reviewer

NOW: Final = datetime(2026, 11, 4, 12, tzinfo=UTC)
ZONES: Final = ("Europe/Berlin", "Asia/Tokyo", "America/New_York")
PEOPLE: Final = [
    a_reviewer(f"r{n}", pending=n % 4, time_zone=ZONES[n % 3], manager="boss@people.example")
    for n in range(60)
]


def plan_of(*enrolments: Enrolment) -> Plan:
    return make_plan(enrolments, NOW, Versions("", "", ""))


def test_it_is_what_the_plan_has() -> None:
    enrolment = Enrolment(a_campaign(), PEOPLE)
    plan, found = plan_of(enrolment), count_coming([enrolment], "2026-q4", NOW)
    until = NOW.date() + timedelta(days=DAYS_AHEAD)

    assert found.first_at == plan.moments[0].at
    assert found.days == Counter(each.date for each in plan.moments if each.date <= until)
    assert found.later == sum(each.date > until for each in plan.moments)
    assert found.not_going == Counter(each.why for each in plan.non_moments)


def test_of_several_campaigns_a_digest_counts_for_each() -> None:
    enrolments = [Enrolment(a_campaign(id="a"), PEOPLE), Enrolment(a_campaign(id="b"), PEOPLE[:9])]
    plan = plan_of(*enrolments)
    for id_ in ("a", "b"):
        found = count_coming(enrolments, id_, NOW)
        going = [
            each
            for each in plan.moments
            if each.campaign == id_ or id_ in {part.campaign for part in each.parts}
        ]
        assert sum(found.days.values()) + found.later == len(going)
        assert found.first_at == going[0].at
        dropped = Counter(each.why for each in plan.non_moments if each.campaign == id_)
        assert found.not_going == dropped


def test_without_reviewers_nothing_does() -> None:
    assert count_coming([Enrolment(a_campaign(), [])], "2026-q4", NOW) == NOTHING
