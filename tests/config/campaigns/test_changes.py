"""What another due date or cadence changes, told once for all reviewers alike."""

from __future__ import annotations

from datetime import date, datetime

from certmail_config.campaigns.changes import PlanChange, changes
from support.campaigns.written import BEFORE, START, campaign, plan, reviewer


def test_what_moves_is_new_and_gone() -> None:
    people = [reviewer("a"), reviewer("b")]
    before = campaign(START, {**BEFORE, "before_due": [3, 1]})
    after = campaign(START, BEFORE)
    assert changes(plan(before, *people), plan(after, *people)) == [
        (PlanChange("q4", "before", 1, date(2026, 12, 8), date(2026, 12, 4)), 2),
        (PlanChange("q4", "before", 2, date(2026, 12, 10), date(2026, 12, 8)), 2),
        (PlanChange("q4", "before", 3, None, date(2026, 12, 10)), 2),
    ]
    gone = changes(plan(after, *people), plan(campaign(START), *people))
    assert [each.after for each, _ in gone] == [None] * 3


def test_nothing_changes() -> None:
    assert changes(plan(campaign(START)), plan(campaign(START))) == []


def test_a_campaign_with_another_end_or_cadence_is_checked_as_any_other() -> None:
    due = datetime.fromisoformat("2026-12-18T00:00:00Z")
    what = campaign(START, calendar={"country": "DE"})
    assert what.with_due(due).due == due
    assert what.with_due(due).calendar == what.calendar
    assert what.with_rules(campaign(BEFORE).rules).rules == campaign(BEFORE).rules
