"""When the mails of a plan can leave under a mailbox's limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certmail_config.campaigns.calendar import Days
from certmail_config.campaigns.departures import Late, MailboxPace, late
from certmail_config.campaigns.plan import Enrolment, Moment, Plan, make_plan
from certmail_config.campaigns.reviewer import Reviewer
from support.campaigns.written import BEFORE, LATE, START, VERSIONS, campaign, reviewer

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
ONE_A_MINUTE = MailboxPace(1, 10_000)


def people(count: int, **changes: Any) -> list[Reviewer]:
    return [reviewer(f"r{n:03}", **changes) for n in range(count)]


def planned(*enrolments: Enrolment) -> Plan:
    return make_plan(enrolments, NOW, VERSIONS)


def found(enrolment: Enrolment, pace: MailboxPace) -> list[Late]:
    return late([enrolment], planned(enrolment).moments, pace)


class TestEnoughTime:
    def test_nothing_is_late_where_all_leave_within_their_window(self) -> None:
        eight_hours = Enrolment(campaign(START), people(480))
        assert found(eight_hours, ONE_A_MINUTE) == []

    def test_one_more_is(self) -> None:
        [last] = found(Enrolment(campaign(START), people(481)), ONE_A_MINUTE)
        assert last.moment.reviewer == "r480"
        assert last.leaves == datetime(2026, 11, 3, 8, tzinfo=UTC), "as its next window begins"
        assert not last.after_due

    def test_a_campaign_without_mails_has_none(self) -> None:
        assert found(Enrolment(campaign(START), people(3, pending=0)), ONE_A_MINUTE) == []


class TestTooMany:
    def test_no_24_hours_see_more_than_the_mailbox_may_send(self) -> None:
        some = found(Enrolment(campaign(START), people(25)), MailboxPace(60, 10))
        assert Counter(each.leaves.date().isoformat() for each in some) == {
            "2026-11-03": 10,
            "2026-11-04": 5,
        }

    def test_the_most_urgent_leave_first(self) -> None:
        both = Enrolment(campaign(START, BEFORE), people(100))
        pace = MailboxPace(1, 60)
        for each in found(both, pace):
            assert each.moment.kind != "final" or each.leaves - each.moment.at < timedelta(days=2)

    def test_what_asks_in_time_and_leaves_too_late_is_told_apart(self) -> None:
        last_day = campaign({"id": "due", "on": "due"}, LATE)
        some = found(Enrolment(last_day, people(20)), MailboxPace(60, 15))
        assert {each.moment.kind for each in some if each.after_due} == {"final"}
        assert {each.moment.kind for each in some if not each.after_due} == {"overdue"}

    def test_each_mailbox_has_its_own_places(self) -> None:
        one = Enrolment(campaign(START, id="one"), people(300))
        others = [reviewer(f"x{n:03}") for n in range(300)]
        other = Enrolment(campaign(START, id="two", connection="second"), others)
        assert late([one, other], planned(one, other).moments, ONE_A_MINUTE) == []

    def test_reviewers_elsewhere_have_their_own_hours(self) -> None:
        elsewhere = [reviewer(f"n{n:03}", time_zone="America/New_York") for n in range(400)]
        some = found(Enrolment(campaign(START), [*people(400), *elsewhere]), ONE_A_MINUTE)
        assert some == [], "Berlin's leave before New York's day is over"


def by_hand(enrolment: Enrolment, moments: Sequence[Moment], pace: MailboxPace) -> list[Any]:
    """The same without any shortcut: at each free place all that wait are looked through."""
    who = {each.id: each for each in enrolment.reviewers}
    days = {
        name: Days(enrolment.campaign.calendar, str(each.time_zone)) for name, each in who.items()
    }
    urgency = ["final", "overdue", "escalation", "digest", "reminder", "notice"]
    waiting, now = list(moments), moments[0].at
    gone: list[datetime] = []
    found_late: list[tuple[str, str, int, datetime]] = []

    def open_now(moment: Moment) -> bool:
        opening = days[moment.reviewer].opening(days[moment.reviewer].local_date(now))
        return moment.at <= now and opening is not None and opening.begins <= now < opening.ends

    while waiting:
        recent = [at for at in gone if at > now - timedelta(days=1)]
        freed = [at + timedelta(days=1) for at in recent]
        ready = [each for each in waiting if open_now(each)]
        if not ready or len(recent) >= pace.per_day:
            # Windows begin and end at full or half hours.
            half_hour = timedelta(minutes=30)
            now = min([now + half_hour - (now - moments[0].at) % half_hour, *freed])
            continue
        first = min(ready, key=lambda each: (urgency.index(each.kind), each.at))
        waiting.remove(first)
        gone.append(now)
        if days[first.reviewer].local_date(now) != first.date:
            found_late.append((first.reviewer, first.rule, first.ordinal, now))
        now += timedelta(minutes=1 / pace.per_minute)
    return found_late


@settings(max_examples=20, deadline=None)
@given(
    count=st.integers(1, 12),
    per_minute=st.sampled_from([0.01, 0.05, 1]),
    per_day=st.integers(1, 20),
    zones=st.lists(
        st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Tokyo", "Pacific/Apia"]),
        min_size=1,
        max_size=3,
    ),
)
def test_another_hand_agrees(count: int, per_minute: float, per_day: int, zones: list[str]) -> None:
    who = [reviewer(f"r{n:02}", time_zone=zones[n % len(zones)]) for n in range(count)]
    enrolment = Enrolment(campaign(START, BEFORE), who)
    moments = planned(enrolment).moments
    pace = MailboxPace(per_minute, per_day)

    mine = [
        (each.moment.reviewer, each.moment.rule, each.moment.ordinal, each.leaves)
        for each in late([enrolment], moments, pace)
    ]
    assert sorted(mine) == sorted(by_hand(enrolment, moments, pace))


@pytest.mark.parametrize("per_day", [1, 3])
def test_a_small_mailbox_ends_all_the_same(per_day: int) -> None:
    enrolment = Enrolment(campaign(START), people(40))
    some = found(enrolment, MailboxPace(60, per_day))
    assert len(some) == 40 - per_day
    days = sorted({each.leaves for each in some})
    assert len(days) == len(some)
