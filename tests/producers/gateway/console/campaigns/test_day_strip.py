"""The strip of days: weeks from Mondays, shades by the busiest day, the due day marked."""

from __future__ import annotations

from datetime import date

from certmail.gateway.console.campaigns.day_strip import SHADES, DayStrip
from certmail_config.campaigns.cadence import Kind


def test_weeks_begin_on_mondays_and_empty_ones_are_counted() -> None:
    days: dict[date, dict[Kind, int]] = {
        date(2026, 11, 4): {"notice": 2},
        date(2026, 11, 26): {"final": 8},
    }
    strip = DayStrip.of(days, date(2026, 11, 27))
    assert [week.days[0].date for week in strip.weeks] == [date(2026, 11, 2), date(2026, 11, 23)]
    assert [week.skipped for week in strip.weeks] == [0, 2]


def test_a_day_is_darker_the_more_go_on_it_and_never_white_with_one() -> None:
    days: dict[date, dict[Kind, int]] = {
        date(2026, 11, 2): {"notice": 1},
        date(2026, 11, 3): {"notice": 50, "final": 50},
    }
    [week] = DayStrip.of(days, date(2026, 11, 6)).weeks
    assert [day.shade for day in week.days[:3]] == [1, SHADES, 0]
    assert [day.count for day in week.days[:3]] == [1, 100, 0]
    assert [day.is_due for day in week.days].index(True) == 4


def test_without_a_mail_there_is_none() -> None:
    assert DayStrip.of({}, date(2026, 11, 6)).weeks == ()
