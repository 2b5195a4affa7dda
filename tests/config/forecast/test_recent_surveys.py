"""Which lanes are looked at again: a look counts for a second, and for 200 reminders."""

from __future__ import annotations

from certmail_config.base.ids import ConnectionId
from certmail_config.forecast.recent_surveys import RecentSurveys

A, B = ConnectionId("a"), ConnectionId("b")


def test_a_lane_is_looked_at_once_a_second() -> None:
    now = [0.0]
    surveys = RecentSurveys(monotonic=lambda: now[0])

    assert surveys.missing([B, A, A], 3) == [A, B]
    surveys.keep(A, None)
    assert surveys.missing([A, B], 2) == [B], "what could not be looked at is asked for again"
    surveys.keep(B, None)

    now[0] = 0.9
    assert surveys.missing([A, B], 2) == []
    now[0] = 1.0
    assert surveys.missing([A, B], 2) == [A, B]


def test_after_two_hundred_reminders_it_is_looked_at_again() -> None:
    surveys = RecentSurveys(monotonic=lambda: 0.0)

    def asked(jobs: int) -> bool:
        missing = surveys.missing([A], jobs)
        surveys.keep(A, None)
        return bool(missing)

    assert [asked(jobs) for jobs in (1, 1, 198, 1, 400, 1)] == [
        True,
        False,
        False,
        True,
        True,
        True,
    ]
