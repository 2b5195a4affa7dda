"""The demo's campaigns: what is to be seen of them comes today, on any day and at any hour."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from certmail_config.campaigns.plan import Enrolment, Moment, make_plan, versions
from certmail_worker.demo.planned import (
    DEPUTY,
    DONE,
    PlannedCampaign,
    daytime_zone,
    moved,
    of_globex,
    privileged,
    quarterly,
)

DAYS: Final = [datetime(2026, month, 15, tzinfo=UTC) for month in (1, 3, 7, 10)]
HOURS: Final = [day + timedelta(hours=hour, minutes=59) for day in DAYS for hour in range(24)]


def today(now: datetime, *planned: PlannedCampaign) -> list[Moment]:
    """What goes at once."""
    enrolments = [Enrolment(each.campaign, each.reviewers) for each in planned]
    later = now + timedelta(seconds=5)
    return [each for each in make_plan(enrolments, later, versions("")).moments if each.at <= later]


@pytest.mark.parametrize("now", HOURS)
def test_its_day_does_not_end_under_the_demo(now: datetime) -> None:
    local = now.astimezone(ZoneInfo(daytime_zone(now)))
    assert local.date() == (local + timedelta(hours=4)).date()
    assert local.date() == (local - timedelta(hours=4)).date()


@pytest.mark.parametrize("now", HOURS[::5])
def test_each_story_is_of_today(now: datetime) -> None:
    notices = today(now, quarterly(now))
    assert Counter(each.kind for each in notices) == {"notice": 14}
    assert [each.reviewer for each in notices if each.to == DEPUTY] == ["r1"]
    assert set(DONE) < {each.reviewer for each in notices}

    before = privileged(now)
    assert today(now, before) == []
    after = before._replace(campaign=moved(before.campaign, now))
    assert Counter(each.kind for each in today(now, after)) == {"overdue": 3, "escalation": 3}

    of_both = today(now, *of_globex(now))
    assert Counter(bool(each.parts) for each in of_both) == {True: 5, False: 3}
