"""Who: the reviewer, or the deputy while they are away; and nobody once it is done."""

from __future__ import annotations

from certmail_config.campaigns.plan import Enrolment
from support.campaigns.written import (
    BEFORE,
    LATE,
    REGULAR,
    START,
    campaign,
    days,
    dropped,
    plan,
    plans,
    reviewer,
)

AWAY = {"deputy": "carl@acme.example", "deputy_from": "2026-11-05", "deputy_until": "2026-11-10"}


class TestADeputy:
    def test_gets_it_from_the_first_to_the_last_day(self) -> None:
        made = plan(campaign(REGULAR), reviewer(**AWAY))
        assert {str(each.date): each.to for each in made.moments} == {
            "2026-11-05": "carl@acme.example",
            "2026-11-10": "carl@acme.example",
            "2026-11-13": "r@acme.example",
            "2026-11-18": "r@acme.example",
            "2026-11-23": "r@acme.example",
        }

    def test_and_why_says_so(self) -> None:
        first, *_ = plan(campaign(REGULAR), reviewer(**AWAY)).moments
        assert first.why.endswith(
            "; goes to carl@acme.example, deputy of r@acme.example"
            " from Thu 5 Nov 2026 until Tue 10 Nov 2026"
        )

    def test_without_days_gets_all(self) -> None:
        made = plan(campaign(REGULAR), reviewer(deputy="carl@acme.example"))
        assert {each.to for each in made.moments} == {"carl@acme.example"}

    def test_gets_no_escalation(self) -> None:
        made = plan(
            campaign({"id": "boss", "overdue_by": "3 days"}),
            reviewer(deputy="carl@acme.example", manager="boss@acme.example"),
        )
        assert [each.to for each in made.moments] == ["boss@acme.example"]

    def test_has_no_deputy_in_turn(self) -> None:
        made = plan(
            campaign(START),
            reviewer(deputy="carl@acme.example"),
            reviewer("carl", deputy="dora@acme.example"),
        )
        assert [each.to for each in made.moments] == ["dora@acme.example", "carl@acme.example"]


class TestWhoIsDone:
    def test_has_nothing_but_complete(self) -> None:
        made = plan(
            campaign(START, REGULAR, BEFORE, LATE, {"id": "boss", "overdue_by": "3 days"}),
            reviewer(pending=0),
            now="2026-11-20T08:00:00Z",
        )
        assert made.moments == ()
        assert set(dropped(made).values()) == {"complete"}
        assert len(made.non_moments) == 1 + 5 + 3 + 4 + 1

    def test_by_progress_that_is_newer_than_the_reviewer(self) -> None:
        made = plans(Enrolment(campaign(START), [reviewer()], pending={"r": 0}))
        assert dropped(made) == {"start 1": "complete"}

    def test_and_is_reminded_again_if_something_is_left_again(self) -> None:
        made = plans(Enrolment(campaign(START), [reviewer(pending=0)], pending={"r": 1}))
        assert days(made) == {"start 1": "2026-11-02"}

    def test_who_says_nothing_of_it_is_not(self) -> None:
        assert days(plan(campaign(START), reviewer(pending=None))) == {"start 1": "2026-11-02"}
