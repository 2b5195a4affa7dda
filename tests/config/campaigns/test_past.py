"""Past: what was missed is caught up once at most, and never in a burst."""

from __future__ import annotations

from support.campaigns.written import (
    BEFORE,
    LATE,
    REGULAR,
    START,
    at,
    campaign,
    days,
    dropped,
    plan,
    reviewer,
    sent,
)


def test_what_has_ended_is_missed_and_the_latest_is_caught_up() -> None:
    made = plan(campaign(START, REGULAR), now="2026-11-11T10:00:00Z")
    assert dropped(made) == {"start 1": "missed", "regular 1": "missed"}
    assert days(made)["regular 2"] == "2026-11-11"
    assert at(made, "regular 2") == "2026-11-11T10:00:00Z"


def test_it_says_so() -> None:
    first, *_ = plan(campaign(START, REGULAR), now="2026-11-11T10:00:00Z").moments
    assert "; caught up, since its hours on Tue 10 Nov 2026 are past" in first.why


def test_a_window_that_has_not_ended_is_not_past() -> None:
    made = plan(campaign(START), now="2026-11-02T15:59:59Z")
    assert (days(made), dropped(made)) == ({"start 1": "2026-11-02"}, {})
    made = plan(campaign(START), now="2026-11-02T16:00:00Z")
    assert (days(made), dropped(made)) == ({"start 1": "2026-11-03"}, {})


def test_it_is_caught_up_on_the_next_working_day_if_today_is_over() -> None:
    made = plan(campaign(START), now="2026-11-06T20:00:00Z")
    assert days(made) == {"start 1": "2026-11-09"}
    assert at(made, "start 1") == "2026-11-09T08:00:00Z"


def test_not_if_something_goes_today() -> None:
    made = plan(campaign(START, REGULAR), now="2026-11-05T10:00:00Z")
    assert dropped(made) == {"start 1": "missed"}
    assert days(made)["regular 1"] == "2026-11-05"


def test_not_if_another_is_there_on_that_day() -> None:
    made = plan(campaign(START, REGULAR), now="2026-11-04T20:00:00Z")
    assert dropped(made) == {"start 1": "missed"}


def test_of_one_date_it_is_the_most_urgent() -> None:
    what = campaign({"id": "due", "on": "due", "kind": "reminder"}, {"id": "b", "before_due": [0]})
    made = plan(what, now="2026-12-14T10:00:00Z")
    assert (days(made), dropped(made)) == ({"b 1": "2026-12-14"}, {"due 1": "merged"})


def test_never_more_than_one_even_on_the_days_after() -> None:
    gone = [sent("regular", 2, "2026-11-11T10:00:00Z")]
    made = plan(campaign(START, REGULAR), now="2026-11-12T10:00:00Z", sent=gone)
    assert dropped(made) == {"start 1": "missed", "regular 1": "missed"}
    assert [*days(made)] == ["regular 3", "regular 4", "regular 5"]


def test_what_went_after_it_makes_it_needless() -> None:
    gone = [sent("regular", 2, "2026-11-10T08:00:00Z")]
    made = plan(campaign(REGULAR), now="2026-11-11T10:00:00Z", sent=gone)
    assert dropped(made) == {"regular 1": "missed"}


def test_an_escalation_is_caught_up_as_all_else() -> None:
    what = campaign({"id": "boss", "overdue_by": "3 days"})
    made = plan(what, reviewer(manager="boss@acme.example"), now="2027-01-11T10:00:00Z")
    assert days(made) == {"boss 1": "2027-01-11"}


def test_of_one_date_the_reviewers_own_mail_goes_before_an_escalation() -> None:
    what = campaign(
        {"id": "boss", "overdue_by": "1 working day"},
        {"id": "late", "overdue": "1 working day", "at_most": 1},
    )
    made = plan(what, reviewer(manager="boss@acme.example"), now="2027-01-11T10:00:00Z")
    assert (days(made), dropped(made)) == ({"late 1": "2027-01-11"}, {"boss 1": "missed"})


def test_what_is_caught_up_counts_for_an_escalation() -> None:
    what = campaign(REGULAR, {"id": "boss", "escalate_after": 1})
    made = plan(what, reviewer(manager="boss@acme.example"), now="2026-12-01T10:00:00Z")
    assert days(made) == {"regular 5": "2026-12-01", "boss 1": "2026-12-02"}


class TestADueDateThatMoves:
    GONE = (
        sent("before", 1, "2026-12-04T08:00:00Z"),
        sent("before", 2, "2026-12-08T08:00:00Z"),
    )

    def test_moves_what_has_not_gone_and_doubles_nothing(self) -> None:
        what = campaign(BEFORE, LATE, due="2026-12-18T17:00:00+01:00")
        made = plan(what, now="2026-12-08T10:00:00Z", sent=self.GONE)
        assert days(made)["before 3"] == "2026-12-17"
        assert "before 1" not in days(made) | dropped(made)

    def test_brings_the_final_at_once_if_its_day_is_past(self) -> None:
        what = campaign(BEFORE, LATE, due="2026-12-09T17:00:00+01:00")
        made = plan(what, now="2026-12-08T18:00:00Z", sent=self.GONE)
        assert days(made)["late 1"] == "2026-12-11"
        assert dropped(made) == {"before 3": "merged"}  # something went on the 8th
