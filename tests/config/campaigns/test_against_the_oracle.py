"""Another hand with another library of times comes to the same plan, in whatever campaign.

CAMPAIGNS says how many are tried: `make campaigns` tries more than the suite has time for.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import Any, Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.plan import Enrolment, make_plan
from certmail_config.campaigns.reviewer import Reviewer
from certmail_config.campaigns.sent import Sent
from certmail_config.campaigns.written_days import written_instant
from support.campaigns.invented import campaigns, outages, reviewers
from support.campaigns.oracle import Goes, Not, expected
from support.campaigns.written import VERSIONS, lived

TRIED: Final = int(os.environ.get("CAMPAIGNS", "60"))


def check(
    written: dict[str, Any],
    people: list[dict[str, Any]],
    now: datetime,
    sent: list[Sent],
) -> None:
    """One plan against the other."""
    enrolment = Enrolment(
        Campaign.model_validate(written),
        [Reviewer.model_validate(each) for each in people],
        sent=sent,
    )
    made = make_plan([enrolment], now, VERSIONS)

    # The oracle's days are of its own library.
    import whenever  # noqa: PLC0415

    calendar = dict(written["calendar"])
    for name in ("closed", "open"):
        calendar[name] = [whenever.Date(each.isoformat()) for each in calendar.get(name, [])]
    goes, refused = expected(
        {**written, "calendar": calendar},
        people,
        now.isoformat(),
        [each.model_dump() | {"at": each.at.isoformat()} for each in sent],
    )

    assert {
        Goes(written_instant(each.at), each.reviewer, each.rule, each.ordinal, each.kind, each.to)
        for each in made.moments
    } == goes
    assert {
        Not(each.date.isoformat(), each.reviewer, each.rule, each.ordinal, each.why.value)
        for each in made.non_moments
    } == refused


@settings(max_examples=TRIED, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_plans_are_the_same_before_anything_was_sent(data: st.DataObject) -> None:
    written = data.draw(campaigns())
    people = [{"id": f"r{number}", **data.draw(reviewers(written["start"]))} for number in range(3)]
    start = datetime.fromisoformat(written["start"])
    now = start + timedelta(minutes=data.draw(st.integers(-60 * 48, 60 * 24 * 90)))
    check(written, people, now, [])


@settings(max_examples=TRIED // 3, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_and_in_the_middle_of_it_with_outages_and_a_due_date_that_moved(
    data: st.DataObject,
) -> None:
    written = data.draw(campaigns())
    person = {"id": "r", **data.draw(reviewers(written["start"]))}
    start = datetime.fromisoformat(written["start"])
    steps = data.draw(outages())
    what, people = Campaign.model_validate(written), [Reviewer.model_validate(person)]
    sent = lived(what, people, start - timedelta(hours=data.draw(st.integers(0, 30))), steps)

    if data.draw(st.booleans()):
        due = start + timedelta(days=data.draw(st.integers(1, 60)))
        written = {**written, "due": due.isoformat()}
    now = start + timedelta(hours=6 * len(steps) + data.draw(st.integers(0, 300)))
    check(written, [person], now, sent)
