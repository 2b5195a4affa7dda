"""When a reviewer is looked at again: before, at and after its mails; later each time it fails."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

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


def looked_at(now: datetime, **changes: Any) -> dict[CampaignReviewer, datetime]:
    written = {"time_zone": "UTC", "start": "2026-11-02T09:00:00+00:00", **changes}
    enrolments = [Enrolment(a_campaign(**written), [a_reviewer("r1")])]
    moments = make_plan(enrolments, now, Versions("", "", "")).moments
    found = planned_mails(moments, enrolments, (), now, lambda _: "")
    return next_looks(moments, list(found), (), now)


def test_an_hour_before_a_mail_may_leave() -> None:
    assert looked_at(MONDAY) == {R1: MONDAY + timedelta(hours=2)}


def test_after_its_hours() -> None:
    at = MONDAY + timedelta(hours=2, minutes=30)
    rule = [{"id": "start", "on": "start"}]
    assert looked_at(at, rule=rule) == {R1: MONDAY + timedelta(hours=11) + MINUTE}


def test_seven_days_before_the_next_becomes_a_job() -> None:
    rule = [{"id": "last", "before_due": [1]}]
    due = "2026-12-11T17:00:00+00:00"
    [found] = looked_at(MONDAY, rule=rule, due=due).values()
    assert found == datetime(2026, 12, 3, 9, tzinfo=UTC)


def test_never_where_nothing_is_to_come() -> None:
    assert next_looks([], [], (), MONDAY) == {}


def test_in_an_hour_where_nobody_knows_yet_what_became_of_a_mail() -> None:
    assert next_looks([], [], [R1], MONDAY) == {R1: MONDAY + UNSETTLED}


def test_who_fails_is_tried_later_each_time_and_never_later_than_a_quarter_of_a_day() -> None:
    waits = [retry_at(failures, MONDAY) - MONDAY for failures in range(60)]
    assert waits == sorted(waits)
    assert waits[0] < MINUTE
    assert waits[-1] == LAST_RETRY
