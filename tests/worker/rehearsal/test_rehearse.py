"""A rehearsal is what would happen: the plan, unless somebody is done or a mailbox is slow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from certmail_config.base.errors import WrongUse
from certmail_config.campaigns.plan import Enrolment, Moment, make_plan, versions
from certmail_config.tenants.models import GoogleLimits
from certmail_worker.rehearsal.completions import Completion, drawn
from certmail_worker.rehearsal.rehearse import Rehearsed, rehearse
from certmail_worker.rehearsal.sink import SunkMail
from support.campaigns.kept import a_campaign, a_reviewer

BEGINS: Final = datetime(2040, 11, 5, 6, tzinfo=UTC)
"""A Monday."""
WRITTEN: Final[dict[str, Any]] = {
    "start": "2040-11-05T09:00:00+01:00",
    "due": "2040-11-23T17:00:00+01:00",
    "owner": "grc@people.example",
    "rule": [
        {"id": "start", "on": "start"},
        {"id": "regular", "every": "3 working days", "at_most": 5},
        {"id": "before", "before_due": [7, 3, 1]},
        {"id": "late", "overdue": "2 working days", "at_most": 2},
        {"id": "boss", "escalate_after": 3, "to": "manager"},
        {"id": "owner", "overdue_by": "3 days", "to": "owner"},
    ],
}


def campaign(**changes: Any) -> Any:
    return a_campaign(**(WRITTEN | changes))


def people() -> list[Any]:
    away = {"deputy": "dan@people.example", "deputy_from": "2040-11-08", "deputy_until": "2040-11-14"}  # fmt: skip
    return [
        a_reviewer("anna", pending=3, manager="boss@people.example", name="Anna"),
        a_reviewer("bob", pending=1, time_zone="America/New_York", locale="de"),
        a_reviewer("cleo", pending=2, time_zone="Asia/Tokyo", country="JP", **away),
        a_reviewer("done", pending=0, manager="boss@people.example"),
    ]


def run(
    enrolments: Sequence[Enrolment],
    completions: Sequence[Completion] = (),
    begins: datetime = BEGINS,
    **limits: int,
) -> tuple[Rehearsed, list[SunkMail]]:
    """Rehearse, and give what the sink took besides."""
    mails: list[SunkMail] = []

    def keep(mail: SunkMail, _: int) -> None:
        mails.append(mail)

    found = rehearse(
        enrolments, begins, completions, GoogleLimits(**limits), file=keep, tell=lambda *_: None
    )
    return found, mails


def identity(each: Moment) -> tuple[object, ...]:
    return each.tenant, each.campaign, each.reviewer, each.rule, each.ordinal, each.date, each.kind, each.to  # fmt: skip


@pytest.mark.parametrize("begins", [BEGINS, BEGINS + timedelta(days=9), BEGINS.replace(year=2040, month=10)])  # fmt: skip
def test_what_goes_is_what_the_plan_says_and_so_is_what_does_not(begins: datetime) -> None:
    enrolments = [Enrolment(campaign(), people())]
    planned = make_plan(enrolments, begins, versions(""))
    went, mails = run(enrolments, begins=begins)

    left = {identity(each): each.at for each in went.outcome.went.moments}
    wanted = {identity(each): each.at for each in planned.moments}
    assert left.keys() == wanted.keys()
    assert len(mails) == len(left) == len(went.outcome.went.moments)
    # Each left within minutes of its moment.
    assert max(left[each] - at for each, at in wanted.items()) < timedelta(minutes=5)

    assert {each[2:6] for each in went.outcome.went.non_moments} >= {
        each[2:6] for each in planned.non_moments if each.why != "missed"
    }
    assert [each.why for each in went.outcome.went.moments if each.kind == "escalation"]


def test_several_campaigns_are_one_mail_where_they_meet() -> None:
    both = [
        Enrolment(campaign(), people()),
        Enrolment(campaign(id="other", name="Leavers"), people()[:2]),
        Enrolment(campaign(tenant="globex", connection="second"), people()),
    ]
    went, mails = run(both)
    planned = make_plan(both, BEGINS, versions(""))
    assert Counter(map(identity, went.outcome.went.moments)) == Counter(
        map(identity, planned.moments)
    )
    assert [each for each in went.outcome.went.moments if each.parts]
    assert "digest" in {each.reminder.kind for each in mails}


def test_nobody_is_reminded_after_they_are_done() -> None:
    team = [a_reviewer(f"r{n}", pending=3, manager="boss@people.example") for n in range(30)]
    enrolments = [Enrolment(campaign(), team)]
    completions = drawn(enrolments, 0.6, BEGINS, seed=3)
    went, mails = run(enrolments, completions)

    done = went.outcome.done
    assert len(done) == 18
    assert {each.after for each in done} == {0}
    assert sum(each.before for each in done) > 0
    everything, _ = run(enrolments)
    assert len(mails) < len(everything.outcome.went.moments)

    # Whatever was a job has ended, and what did not go says why.
    states = Counter[str]()
    for (state, _), count in went.outcome.jobs.items():
        states[state] += count
    assert states["accepted"] == len(mails)
    assert set(states) <= {"accepted", "suppressed"}
    assert "complete" in {each.why for each in went.outcome.went.non_moments}


def test_a_slow_mailbox_sends_on_later_days_and_nothing_twice() -> None:
    team = [a_reviewer(f"r{n}", pending=3) for n in range(12)]
    rules = [{"id": "start", "on": "start"}]
    went, mails = run([Enrolment(campaign(rule=rules), team)], per_day=5)
    assert Counter(each.reminder.to for each in mails) == Counter(each.to for each in team)
    assert len({each.at.date() for each in mails}) > 1
    assert went.ended > BEGINS + timedelta(days=1)


def test_a_campaign_of_the_past_can_be_rehearsed() -> None:
    past = campaign(start="2020-11-02T09:00:00+01:00", due="2020-11-20T17:00:00+01:00")
    begins = datetime(2020, 11, 2, 6, tzinfo=UTC)
    enrolments = [Enrolment(past, people())]
    planned = make_plan(enrolments, begins, versions(""))
    went, _ = run(enrolments, begins=begins)
    assert Counter(map(identity, went.outcome.went.moments)) == Counter(
        map(identity, planned.moments)
    )


def test_a_mail_is_the_one_that_a_worker_would_send() -> None:
    _, mails = run([Enrolment(campaign(name="Quarterly access review"), people())])
    first = next(each for each in mails if each.reminder.to == "anna@people.example")
    assert b"Quarterly access review" in first.mail.raw
    assert b"To: " in first.mail.raw
    assert f"X-Certmail-Id: {first.job}".encode() in first.mail.raw


def test_a_campaign_that_cannot_be_planned_is_refused() -> None:
    team = [a_reviewer("anna", pending=1)]
    mondays = [(BEGINS + timedelta(weeks=n)).date().isoformat() for n in range(-60, 220)]
    without = campaign(calendar={"days": ["mon"], "closed": mondays})
    with pytest.raises(WrongUse, match="no working day"):
        run([Enrolment(without, team)])
