"""How far ahead mails become jobs: any of them shortly before, and each reviewer's next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from certmail_config.campaigns.applying.by_hand import by_hand
from certmail_config.campaigns.applying.difference import Materialised
from certmail_config.campaigns.applying.horizon import AHEAD, NEAR, becoming_jobs
from certmail_config.campaigns.applying.identity import BY_HAND, Identity
from certmail_config.campaigns.applying.mails import planned_mails
from certmail_config.campaigns.plan import Enrolment, Moment, Versions, make_plan
from certmail_config.campaigns.running.states import MomentState
from support.campaigns.kept import a_campaign, a_reviewer

MONDAY: Final = datetime(2026, 11, 2, 6, tzinfo=UTC)
DAILY: Final = [{"id": "start", "on": "start"}, {"id": "daily", "every": "1 working day"}]


def enrolments(*ids: str, manager: str | None = None, **changes: Any) -> list[Enrolment]:
    written = {"time_zone": "UTC", "start": "2026-11-02T09:00:00+00:00", "rule": DAILY, **changes}
    return [
        Enrolment(a_campaign(id=each, **written), [a_reviewer("r1", manager=manager)])
        for each in ids
    ]


def planned(found: Sequence[Enrolment]) -> Sequence[Moment]:
    return make_plan(found, MONDAY, Versions("", "", "")).moments


def before(moments: Sequence[Moment]) -> list[timedelta]:
    return [moment.at - from_ for moment, from_ in becoming_jobs(moments)]


def days(found: Sequence[Enrolment], standing: set[Identity], now: datetime = MONDAY) -> list[int]:
    mails = planned_mails(planned(found), found, (), now, lambda _: "", standing)
    return [each.at.day for each in mails]


def test_a_reviewer_s_next_mail_earlier_than_those_behind_it() -> None:
    first, *others = before(planned(enrolments("a")))
    assert first == AHEAD
    assert set(others) == {NEAR}


def test_each_reviewer_has_a_next_one() -> None:
    [campaign] = enrolments("a")
    two = [replace(campaign, reviewers=[a_reviewer("r1"), a_reviewer("r2")])]
    assert before(planned(two))[:3] == [AHEAD, AHEAD, NEAR]


def test_a_digest_is_the_next_of_all_whom_it_tells_of() -> None:
    digests = planned(enrolments("a", "b"))
    assert digests[0].kind == "digest"
    assert before(digests)[:2] == [AHEAD, NEAR]


def test_an_escalation_is_nobody_s_next_mail() -> None:
    """It may wait for reminders that are accepted, and so never become a job."""
    late = {"id": "late", "overdue": "3 working days", "at_most": 2}
    rule = [late, {"id": "boss", "overdue_by": "1 day", "to": "manager"}]
    found = planned(enrolments("a", manager="boss@people.example", rule=rule))
    assert [each.kind for each in found] == ["escalation", "overdue", "overdue"]
    assert before(found) == [NEAR, AHEAD, NEAR]


def test_what_was_asked_for_by_hand_is_not_the_next() -> None:
    found = enrolments("a")
    asked = Identity("a", "r1", BY_HAND, 1)
    known = {asked: Materialised(MONDAY, "", 0, None, MomentState.PLANNED)}
    moments = [*by_hand(found, known, {asked: "reminder"}, MONDAY), *planned(found)]
    assert before(moments)[:2] == [NEAR, AHEAD]


def test_what_is_a_job_already_stays_one_within_the_whole_horizon() -> None:
    """So a release that made jobs of all of them, a week ahead, is no reason to withdraw any."""
    found = enrolments("a")
    all_of_it = {Identity("a", "r1", "start", 1)} | {
        Identity("a", "r1", "daily", n) for n in range(1, 30)
    }
    assert days(found, set()) == [2, 3]
    assert days(found, all_of_it) == [2, 3, 4, 5, 6]
