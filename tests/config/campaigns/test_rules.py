"""Rules: on which days each names, and with which kind."""

from __future__ import annotations

import pytest

from support.campaigns.written import (
    BEFORE,
    BOSS,
    LATE,
    REGULAR,
    START,
    campaign,
    days,
    dropped,
    kinds,
    plan,
    reviewer,
    sent,
)


class TestOnStart:
    def test_the_first_working_day_from_its_date_on(self) -> None:
        assert days(plan(campaign(START))) == {"start 1": "2026-11-02"}

    def test_whose_window_has_not_ended_by_then(self) -> None:
        what = campaign(START, start="2026-11-02T16:59:59+01:00")
        assert days(plan(what)) == {"start 1": "2026-11-02"}
        what = campaign(START, start="2026-11-02T17:00:00+01:00")
        assert days(plan(what)) == {"start 1": "2026-11-03"}


class TestEvery:
    def test_is_counted_from_the_day_of_on_start(self) -> None:
        made = plan(campaign(START, REGULAR, start="2026-11-07T09:00:00+01:00"))
        assert days(made)["regular 1"] == "2026-11-12"  # it starts on Monday the 9th

    def test_or_the_day_that_it_would_have(self) -> None:
        made = plan(campaign(REGULAR, start="2026-11-07T09:00:00+01:00"))
        assert days(made)["regular 1"] == "2026-11-12"

    def test_then_from_its_own_previous_day(self) -> None:
        made = plan(campaign({"id": "r", "every": "6 days", "at_most": 3}))
        # The 8th is a Sunday: the next is counted from the Monday.
        assert [*days(made).values()] == ["2026-11-09", "2026-11-16", "2026-11-23"]

    def test_at_most_so_many(self) -> None:
        assert len(days(plan(campaign(REGULAR)))) == 5

    def test_only_before_the_due_day(self) -> None:
        what = campaign({"id": "r", "every": "3 working days"}, due="2026-11-10T17:00:00+01:00")
        assert days(plan(what)) == {"r 1": "2026-11-05"}


class TestBeforeDue:
    def test_so_many_days_before_rolled_back(self) -> None:
        made = plan(campaign({"id": "b", "before_due": [7, 5, 1]}))
        assert days(made) == {"b 1": "2026-12-04", "b 3": "2026-12-10"}  # the 6th is a Sunday
        assert dropped(made) == {"b 2": "merged"}

    def test_is_numbered_by_its_place_in_the_list(self) -> None:
        made = plan(campaign({"id": "b", "before_due": [1, 7]}))
        assert days(made) == {"b 2": "2026-12-04", "b 1": "2026-12-10"}

    def test_the_last_of_the_list_is_final(self) -> None:
        assert kinds(plan(campaign(BEFORE))) == {
            "before 1": "reminder",
            "before 2": "reminder",
            "before 3": "final",
        }

    def test_is_dropped_before_the_day_of_the_start(self) -> None:
        made = plan(campaign(START, {"id": "b", "before_due": [45, 39]}))
        assert dropped(made) == {"b 1": "too_early", "start 1": "merged"}
        assert days(made) == {"b 2": "2026-11-02"}


class TestOnDue:
    def test_the_due_day_rolled_back(self) -> None:
        what = campaign({"id": "due", "on": "due"}, due="2026-12-13T17:00:00+01:00")
        assert days(plan(what)) == {"due 1": "2026-12-11"}

    def test_but_not_before_the_campaign_starts(self) -> None:
        what = campaign(
            {"id": "due", "on": "due"},
            start="2026-11-07T09:00:00+01:00",
            due="2026-11-08T17:00:00+01:00",
        )
        assert dropped(plan(what)) == {"due 1": "too_early"}


class TestOverdue:
    def test_is_counted_from_the_due_day_and_then_from_its_own(self) -> None:
        assert [*days(plan(campaign(LATE))).values()] == [
            "2026-12-15", "2026-12-17", "2026-12-21", "2026-12-23",
        ]  # fmt: skip

    def test_its_kind_is_its_own(self) -> None:
        assert set(kinds(plan(campaign(LATE))).values()) == {"overdue"}


class TestEscalations:
    BOSSED = reviewer(manager="boss@acme.example")

    def test_the_first_working_day_after_the_last_that_is_waited_for(self) -> None:
        made = plan(campaign(START, REGULAR, BOSS), self.BOSSED)
        assert days(made)["regular 3"] == "2026-11-13"
        assert days(made)["boss 1"] == "2026-11-16"

    def test_counts_what_was_accepted(self) -> None:
        gone = [
            sent("regular", 1, "2026-11-05T08:00:00Z"),
            sent("regular", 2, "2026-11-10T08:00:00Z", accepted=False),
        ]
        made = plan(
            campaign(START, REGULAR, {**BOSS, "escalate_after": 2}),
            self.BOSSED,
            now="2026-11-11T08:00:00Z",
            sent=gone,
        )
        assert days(made)["boss 1"] == "2026-11-16"  # after the one of the 13th

    def test_counts_reminder_final_and_overdue_alone(self) -> None:
        made = plan(campaign(START, {**BOSS, "escalate_after": 1}), self.BOSSED)
        assert "boss 1" not in days(made)
        gone = [sent("start", 1, "2026-11-02T08:00:00Z", "notice")]
        made = plan(campaign({**BOSS, "escalate_after": 1}), self.BOSSED, sent=gone)
        assert days(made) == {}

    def test_counts_what_was_sent_by_rules_that_are_gone(self) -> None:
        gone = [sent("older", 1, "2026-11-05T08:00:00Z", "overdue")]
        made = plan(
            campaign({**BOSS, "escalate_after": 1}),
            self.BOSSED,
            now="2026-11-05T09:00:00Z",
            sent=gone,
        )
        assert days(made) == {"boss 1": "2026-11-06"}

    def test_never_comes_if_so_many_never_go(self) -> None:
        made = plan(campaign(REGULAR, {**BOSS, "escalate_after": 9}), self.BOSSED)
        assert "boss 1" not in days(made) | dropped(made)

    @pytest.mark.parametrize(
        ("by", "day"), [("3 days", "2026-12-14"), ("3 working days", "2026-12-16")]
    )
    def test_so_long_after_the_due_day_rolled_forward(self, by: str, day: str) -> None:
        made = plan(campaign({"id": "boss", "overdue_by": by}), self.BOSSED)
        assert days(made) == {"boss 1": day}

    def test_goes_to_the_manager_or_the_owner(self) -> None:
        made = plan(
            campaign(
                {"id": "boss", "overdue_by": "1 day"},
                {"id": "owner", "overdue_by": "3 days", "to": "owner"},
            ),
            self.BOSSED,
        )
        # The 12th is a Saturday: both on the 14th, to two people.
        assert {(each.to, each.kind, str(each.date)) for each in made.moments} == {
            ("boss@acme.example", "escalation", "2026-12-14"),
            ("grc@acme.example", "escalation", "2026-12-14"),
        }

    def test_without_a_manager_it_does_not_go(self) -> None:
        made = plan(campaign(REGULAR, BOSS, {"id": "late", "overdue_by": "3 days"}))
        assert dropped(made) == {"boss 1": "no_manager", "late 1": "no_manager"}
        assert str(made.non_moments[0].date) == "2026-11-16"

    def test_goes_once(self) -> None:
        gone = [
            sent("regular", 1, "2026-11-05T08:00:00Z"),
            sent("boss", 1, "2026-11-06T08:00:00Z", "escalation"),
        ]
        made = plan(
            campaign(REGULAR, {**BOSS, "escalate_after": 1}),
            self.BOSSED,
            now="2026-11-09T08:00:00Z",
            sent=gone,
        )
        assert "boss 1" not in days(made) | dropped(made)
