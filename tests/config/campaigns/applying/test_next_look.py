"""When a reviewer is looked at again: before, at and after its mails; later each time it fails."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from certmail_config.campaigns.applying.identity import Identity
from certmail_config.campaigns.applying.mails import planned_mails
from certmail_config.campaigns.applying.next_look import (
    LAST_RETRY,
    UNSETTLED,
    CampaignReviewer,
    next_looks,
    retry_at,
)
from certmail_config.campaigns.plan import Enrolment, Versions, make_plan
from support.campaigns.kept import a_campaign, a_reviewer

MONDAY: Final = datetime(2026, 11, 2, 6, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)
R1: Final = ("2026-q4", "r1")


def looked_at(
    now: datetime, *outdated: Identity, **changes: Any
) -> dict[CampaignReviewer, datetime]:
    written = {"time_zone": "UTC", "start": "2026-11-02T09:00:00+00:00", **changes}
    enrolments = [Enrolment(a_campaign(**written), [a_reviewer("r1")])]
    moments = make_plan(enrolments, now, Versions("", "", "")).moments
    found = planned_mails(moments, enrolments, (), now, lambda _: "")
    return next_looks(moments, list(found), frozenset(outdated), (), now)


def test_after_the_hours_of_a_mail() -> None:
    rule = [{"id": "start", "on": "start"}]
    for at in (MONDAY, MONDAY + timedelta(hours=2, minutes=30)):
        assert looked_at(at, rule=rule) == {R1: MONDAY + timedelta(hours=11) + MINUTE}


def test_an_hour_before_a_mail_may_leave_whose_job_says_old_news() -> None:
    regular = Identity(*R1, "regular", 1)
    assert looked_at(MONDAY, Identity(*R1, "start", 1)) == {R1: MONDAY + timedelta(hours=2)}
    assert looked_at(MONDAY, regular) == {R1: MONDAY + timedelta(hours=11) + MINUTE}


def test_seven_days_before_the_next_becomes_a_job() -> None:
    rule = [{"id": "last", "before_due": [1]}]
    due = "2026-12-11T17:00:00+00:00"
    [found] = looked_at(MONDAY, rule=rule, due=due).values()
    assert found == datetime(2026, 12, 3, 9, tzinfo=UTC)


def test_whoever_is_looked_at_anyway_in_time_for_the_next_is_not_looked_at_for_it_alone() -> None:
    rule = [{"id": "start", "on": "start"}, {"id": "weekly", "every": "5 working days"}]
    after_the_first = MONDAY + timedelta(hours=11) + MINUTE
    assert looked_at(MONDAY, rule=rule) == {R1: after_the_first}


def test_but_a_look_that_is_too_early_for_it_or_too_late_does_not_count() -> None:
    last = [{"id": "last", "before_due": [1]}]
    due = "2026-11-11T17:00:00+00:00"
    enrolments = [Enrolment(a_campaign(time_zone="UTC", rule=last, due=due), [a_reviewer("r1")])]
    [moment] = make_plan(enrolments, MONDAY, Versions("", "", "")).moments
    assert moment.at == datetime(2026, 11, 10, 9, tzinfo=UTC)

    def seen(beside: timedelta) -> datetime:
        [mail] = planned_mails([moment], enrolments, (), moment.at, lambda _: "")
        other = replace(mail, at=MONDAY, closes_at=moment.at - beside)
        return next_looks([moment], [other], frozenset(), (), MONDAY)[R1]

    week, day = timedelta(days=7), timedelta(days=1)
    assert seen(week + day) == moment.at - week - day + MINUTE
    assert seen(week - day) == moment.at - week + day + MINUTE
    assert seen(day / 2) == moment.at - week


def test_never_where_nothing_is_to_come() -> None:
    assert next_looks([], [], frozenset(), (), MONDAY) == {}


def test_in_an_hour_where_nobody_knows_yet_what_became_of_a_mail() -> None:
    assert next_looks([], [], frozenset(), [R1], MONDAY) == {R1: MONDAY + UNSETTLED}


def test_who_fails_is_tried_later_each_time_and_never_later_than_a_quarter_of_a_day() -> None:
    waits = [retry_at(failures, MONDAY) - MONDAY for failures in range(60)]
    assert waits == sorted(waits)
    assert waits[0] < MINUTE
    assert waits[-1] == LAST_RETRY
