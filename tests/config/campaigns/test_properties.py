"""What holds of every plan, and of every campaign that is lived through with outages."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import pytest
import whenever
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certmail_config.campaigns.calendar import days_of
from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.moments_of_day import Window, opening, zone, zone_names
from certmail_config.campaigns.plan import Enrolment, Moment, make_plan
from certmail_config.campaigns.reviewer import Reviewer
from certmail_config.campaigns.sent import Sent
from certmail_config.campaigns.slots import Timetable
from support.campaigns.invented import campaigns, outages, reviewers
from support.campaigns.written import VERSIONS, lived

TRIED: Final = int(os.environ.get("CAMPAIGNS", "40"))
QUIETLY: Final[dict[str, Any]] = {"deadline": None, "suppress_health_check": list(HealthCheck)}
TODAY: Final = datetime(2026, 11, 2, 8, tzinfo=UTC)


def enrolled(data: st.DataObject, number: int) -> Enrolment:
    """One of several campaigns of a tenant, with two people, of whom one is in all of them."""
    written = {**data.draw(campaigns()), "id": f"c{number}"}
    start = written["start"]
    people = [
        {"id": "anna", **data.draw(reviewers(start))},
        {"id": f"r{number}", **data.draw(reviewers(start)), "to": f"r{number}@acme.example"},
    ]
    return Enrolment(
        Campaign.model_validate(written), [Reviewer.model_validate(each) for each in people]
    )


def timetable(enrolment: Enrolment, name: str) -> Timetable:
    [person] = [each for each in enrolment.reviewers if each.id == name]
    campaign = enrolment.campaign
    calendar = campaign.calendar.of(person.country, person.subdivision)
    return Timetable(campaign, days_of(calendar, person.time_zone or campaign.time_zone))


def own(mails: Sequence[Moment]) -> list[Moment]:
    return [each for each in mails if each.kind != "escalation"]


@settings(max_examples=TRIED, **QUIETLY)
@given(st.data())
def test_every_plan(data: st.DataObject) -> None:
    enrolments = [enrolled(data, number) for number in range(data.draw(st.integers(1, 3)))]
    start = enrolments[0].campaign.start
    now = start + timedelta(hours=data.draw(st.integers(-48, 24 * 90)))
    made = make_plan(enrolments, now, VERSIONS)
    by_id = {each.campaign.id: each for each in enrolments}

    # Nobody is reminded after completion.
    done = {(e.campaign.id, r.id) for e in enrolments for r in e.reviewers if r.pending == 0}
    assert not done & {
        (part[0], part[1])
        for each in made.moments
        for part in each.parts or [(each.campaign, each.reviewer)]
    }

    # Nothing is outside hours, or in the past: a digest is within those of one of its campaigns.
    for each in made.moments:
        tables = [
            timetable(by_id[part[0]], part[1])
            for part in each.parts or [(each.campaign, each.reviewer)]
        ]
        windows = [table.days.opening(each.date) for table in tables]
        assert all(window is not None for window in windows)
        assert any(w is not None and w.begins <= each.at < w.ends for w in windows)
        assert any(w is not None and w.ends > now for w in windows)

    # Nobody has two on one date, but for what a deputy gets of it.
    assert max(Counter((m.reviewer, m.to, m.date) for m in own(made.moments)).values(), default=0) <= 1  # fmt: skip

    # Nobody has more than the cap, but for finals.
    for each in own(made.moments):
        caps = [by_id[part[0]].campaign.cap_per_week for part in each.parts or [(each.campaign,)]]
        week = [
            other
            for other in own(made.moments)
            if other.reviewer == each.reviewer
            and timedelta() < each.date - other.date < timedelta(days=7)
        ]
        final = each.kind == "final" or any(part.kind == "final" for part in each.parts)
        assert final or len(week) < min([cap for cap in caps if cap is not None], default=999)

    # What should be is, or has a reason; and only one of both.
    going = [
        part[:4] for m in made.moments for part in m.parts or [(m.campaign, m.reviewer, m.rule, m.ordinal)]
    ]  # fmt: skip
    refused = [(n.campaign, n.reviewer, n.rule, n.ordinal) for n in made.non_moments]
    merged = {part[:4] for m in made.moments for part in m.parts[1:]}
    wanted = {
        (e.campaign.id, r.id, slot.rule, slot.ordinal)
        for e in enrolments
        for r in e.reviewers
        for slot in timetable(e, r.id).slots
    }
    assert wanted <= {*going, *refused}
    assert len(refused) == len(set(refused))
    assert set(going) & set(refused) == merged

    # At most one is caught up for each campaign and reviewer.
    late = Counter(
        (each.campaign, each.reviewer) for each in made.moments if "caught up" in each.why
    )
    assert max(late.values(), default=0) <= 1

    # They are in order; and planning again changes nothing.
    assert list(made.moments) == sorted(made.moments, key=lambda each: (each.at, each.reviewer))
    assert make_plan(list(reversed(enrolments)), now, VERSIONS) == made


@settings(max_examples=TRIED, **QUIETLY)
@given(st.data())
def test_until_something_is_due_a_plan_stays_as_it_is(data: st.DataObject) -> None:
    enrolment = enrolled(data, 0)
    now = enrolment.campaign.start + timedelta(hours=data.draw(st.integers(-48, 24 * 60)))
    made = make_plan([enrolment], now, VERSIONS)
    if not made.moments or made.moments[0].at <= now:
        return

    later = now + (made.moments[0].at - now) * data.draw(st.floats(0, 0.99))
    assert make_plan([enrolment], later, VERSIONS) == made


@settings(max_examples=TRIED, **QUIETLY)
@given(st.data())
def test_every_campaign_that_is_lived_through(data: st.DataObject) -> None:
    enrolment = enrolled(data, 0)
    steps = data.draw(outages())
    first = enrolment.campaign.start - timedelta(hours=data.draw(st.integers(0, 30)))
    gone = lived(enrolment.campaign, enrolment.reviewers, first, steps)

    for person in enrolment.reviewers:
        table = timetable(enrolment, person.id)
        mine = [each for each in gone if each.reviewer == person.id]
        assert not (person.pending == 0 and mine)
        _not_twice(mine, table)
        for each in mine:
            window = table.days.opening(table.days.local_date(each.at))
            assert window is not None
            assert window.begins <= each.at < window.ends


def _not_twice(mine: Sequence[Sent], table: Timetable) -> None:
    identities = Counter((each.rule, each.ordinal) for each in mine)
    days = Counter(table.days.local_date(each.at) for each in mine if each.kind != "escalation")
    assert max(identities.values(), default=0) <= 1
    assert max(days.values(), default=0) <= 1

    cap = table.campaign.cap_per_week
    for day in days:
        week = sum(1 for other in days if timedelta() <= day - other < timedelta(days=7))
        finals = any(
            each.kind == "final" and table.days.local_date(each.at) == day for each in mine
        )
        assert cap is None or week <= cap or finals


def test_an_outage_makes_no_burst() -> None:
    what = Campaign.model_validate(
        {
            "tenant": "acme",
            "id": "q4",
            "start": "2026-11-02T00:00:00Z",
            "due": "2026-12-11T00:00:00Z",
            "rule": [{"id": "r", "every": "1 working day"}],
        }
    )
    person = Reviewer(id="r", to="r@acme.example")
    steps = [day not in range(10, 20) for day in range(40) for _ in range(4)]
    gone = lived(what, [person], datetime(2026, 11, 2, tzinfo=UTC), steps)
    ordinals = [each.ordinal for each in gone]
    assert ordinals == sorted(set(ordinals))
    assert len(ordinals) == 27 - 7  # working days, without those of the outage: nothing for them


class TestEveryZone:
    @pytest.mark.parametrize("half", [0, 1])
    def test_the_window_is_where_another_library_has_it_when_clocks_change(self, half: int) -> None:
        whenever.reset_tzpath(())
        changes = 0
        for name in sorted(zone_names())[half::2]:
            for day in _changing(name):
                changes += 1
                for minutes in range(0, 24 * 60, 15):
                    local = whenever.Date(str(day)).at(whenever.Time(minutes // 60, minutes % 60))
                    theirs = local.assume_tz(name, disambiguation="compatible")
                    found = opening(day, Window(minutes, minutes + 15), zone(name))
                    if str(theirs.date()) == str(day):
                        assert found is not None
                        assert found.begins == theirs.to_instant().to_stdlib()
                        assert found.ends > found.begins
                    else:
                        assert found is None
        assert changes > 100


def _changing(name: str) -> list[date]:
    """The days of two years on which clocks in a zone change."""
    where = zone(name)
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(731)]
    at_midnight = [datetime.combine(each, time(), where).utcoffset() for each in days]
    return [
        day for day, one, two in zip(days, at_midnight, at_midnight[1:], strict=False) if one != two
    ]
