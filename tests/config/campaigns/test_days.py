"""Days: whose zone and calendar count, which days are working days, and when a mail of one leaves."""

from __future__ import annotations

from datetime import date

import pytest

from support.campaigns.written import (
    BEFORE,
    REGULAR,
    START,
    at,
    campaign,
    days,
    plan,
    reviewer,
)

BERLIN = {"country": "DE", "subdivision": "BE"}


class TestWhoseZone:
    def test_the_reviewers_own(self) -> None:
        made = plan(campaign(START), reviewer(time_zone="America/New_York"))
        assert at(made, "start 1") == "2026-11-02T14:00:00Z"

    def test_else_the_campaigns_which_is_said(self) -> None:
        [mail] = plan(campaign(START)).moments
        assert at(plan(campaign(START)), "start 1") == "2026-11-02T08:00:00Z"
        assert mail.why.endswith("time zone Europe/Berlin assumed")

    def test_one_of_their_own_is_nothing_to_say(self) -> None:
        [mail] = plan(campaign(START), reviewer(time_zone="Europe/Berlin")).moments
        assert "assumed" not in mail.why


class TestWhoseCalendar:
    def test_the_campaigns_if_they_have_none(self) -> None:
        made = plan(campaign(START, start="2027-03-08T00:00:00+01:00", due="2027-04-01T00:00:00Z", calendar=BERLIN))  # fmt: skip
        assert days(made) == {"start 1": "2027-03-09"}  # Women's Day, in Berlin

    def test_a_country_of_their_own_is_without_the_campaigns_subdivision(self) -> None:
        made = plan(
            campaign(START, start="2027-03-08T00:00:00+01:00", due="2027-04-01T00:00:00Z", calendar=BERLIN),
            reviewer("national", country="DE"),
            reviewer("french", country="FR"),
        )  # fmt: skip
        assert {each.date for each in made.moments} == {date(2027, 3, 8)}

    def test_a_subdivision_alone_is_of_the_campaigns_country(self) -> None:
        made = plan(
            campaign(START, start="2027-01-06T00:00:00+01:00", due="2027-04-01T00:00:00Z", calendar=BERLIN),
            reviewer(subdivision="by"),
        )  # fmt: skip
        assert days(made) == {"start 1": "2027-01-07"}  # Epiphany, in Bavaria

    def test_the_working_week_is_the_countrys(self) -> None:
        made = plan(
            campaign(START, start="2026-11-06T00:00:00+01:00"),
            reviewer("riyadh", country="SA", time_zone="Asia/Riyadh"),
        )
        assert days(made) == {"start 1": "2026-11-08"}  # a Sunday

    def test_unless_the_campaign_names_days_for_everybody(self) -> None:
        made = plan(
            campaign(START, start="2026-11-06T00:00:00+01:00", calendar={"days": ["tue"]}),
            reviewer(country="SA"),
        )
        assert days(made) == {"start 1": "2026-11-10"}


class TestAWorkingDay:
    def first(self, start: str, **calendar: object) -> str:
        return days(plan(campaign(START, start=f"{start}T00:00:00+01:00", calendar=calendar)))[
            "start 1"
        ]

    def test_is_a_weekday_of_the_week(self) -> None:
        assert self.first("2026-11-07") == "2026-11-09"

    def test_and_no_public_holiday(self) -> None:
        assert self.first("2026-11-11", country="US") == "2026-11-12"  # Veterans Day

    def test_and_not_closed(self) -> None:
        assert self.first("2026-11-09", closed=["2026-11-09", "2026-11-10"]) == "2026-11-11"

    def test_or_open_in_spite_of_all_that(self) -> None:
        assert self.first("2026-11-07", open=["2026-11-08"]) == "2026-11-08"
        assert self.first("2026-11-11", country="US", open=["2026-11-11"]) == "2026-11-11"

    def test_open_wins_over_closed(self) -> None:
        both = ["2026-11-09"]
        assert self.first("2026-11-09", open=both, closed=both) == "2026-11-09"

    def test_what_moved_a_mail_is_said(self) -> None:
        [mail] = plan(
            campaign(START, start="2026-11-11T00:00:00-05:00", time_zone="America/New_York", calendar={"country": "US"})
        ).moments  # fmt: skip
        assert "moved forward from Wed 11 Nov 2026 (Veterans Day)" in mail.why


class TestWhenItLeaves:
    def test_as_the_window_begins(self) -> None:
        assert at(plan(campaign(REGULAR)), "regular 1") == "2026-11-05T08:00:00Z"

    def test_at_the_start_if_that_lies_within_the_window(self) -> None:
        made = plan(campaign(START, start="2026-11-02T10:30:00+01:00"))
        assert at(made, "start 1") == "2026-11-02T09:30:00Z"

    def test_a_start_before_the_window_waits_for_it(self) -> None:
        made = plan(campaign(START, start="2026-11-02T06:00:00+01:00"))
        assert at(made, "start 1") == "2026-11-02T08:00:00Z"

    def test_the_start_is_for_its_own_rule_alone(self) -> None:
        last = {"id": "last", "before_due": [0]}
        what = campaign(last, start="2026-11-02T10:30:00+01:00", due="2026-11-02T17:00:00+01:00")
        assert at(plan(what), "last 1") == "2026-11-02T08:00:00Z"

    def test_now_if_that_lies_within_the_window(self) -> None:
        made = plan(campaign(REGULAR), now="2026-11-05T11:22:33Z")
        assert at(made, "regular 1") == "2026-11-05T11:22:33Z"
        assert at(made, "regular 2") == "2026-11-10T08:00:00Z"

    def test_the_window_is_the_reviewers_own_time(self) -> None:
        what = campaign(REGULAR, calendar={"window": "13:15-14:00"})
        made = plan(what, reviewer(time_zone="Asia/Kolkata"))
        assert at(made, "regular 1") == "2026-11-05T07:45:00Z"

    def test_summer_time_moves_the_instant_and_not_the_hour(self) -> None:
        what = campaign(BEFORE, start="2026-10-01T00:00:00Z", due="2026-10-28T12:00:00Z")
        made = plan(what, now="2026-09-01T00:00:00Z")
        assert at(made, "before 1") == "2026-10-21T07:00:00Z"
        assert at(made, "before 3") == "2026-10-27T08:00:00Z"


class TestTheDueDay:
    @pytest.mark.parametrize(
        ("due", "last"),
        [
            ("2026-12-11T17:00:00+01:00", "2026-12-11"),
            ("2026-12-11T00:00:00+01:00", "2026-12-10"),
            ("2026-12-11T00:00:01+01:00", "2026-12-11"),
        ],
    )
    def test_is_that_of_the_second_before(self, due: str, last: str) -> None:
        assert days(plan(campaign({"id": "due", "on": "due"}, due=due))) == {"due 1": last}

    def test_on_the_reviewers_calendar(self) -> None:
        what = campaign({"id": "due", "on": "due"}, due="2026-12-11T02:00:00+01:00")
        assert days(plan(what, reviewer(time_zone="America/New_York"))) == {"due 1": "2026-12-10"}


class TestSoManyDaysAfter:
    def test_working_days_are_counted_one_by_one(self) -> None:
        made = plan(campaign({"id": "late", "overdue": "2 working days", "at_most": 1}))
        assert days(made) == {"late 1": "2026-12-15"}

    def test_other_days_are_added_and_then_rolled_forward(self) -> None:
        made = plan(campaign({"id": "late", "overdue": "2 days", "at_most": 1}))
        assert days(made) == {"late 1": "2026-12-14"}
