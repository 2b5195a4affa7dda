"""News of progress: an older one undoes nothing, in whatever order and however often they come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from certmail_config.campaigns.running.progress import (
    AHEAD,
    Progress,
    ProgressNews,
    ProgressVerdict,
    merge,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NINE, TEN = NOW.replace(hour=9), NOW.replace(hour=10)
OF_THE_LIST = Progress(7, 2)
TAKEN, SAME, OLDER = ProgressVerdict.TAKEN, ProgressVerdict.SAME, ProgressVerdict.OLDER


def news(pending: int, completed: int | None = None, **place: Any) -> ProgressNews:
    return ProgressNews(reviewer="r", pending=pending, completed=completed, **place)


@pytest.mark.parametrize(
    ("known", "told", "verdict"),
    [
        (OF_THE_LIST, news(7, 2, at=NINE), TAKEN),  # now it is known since when
        (OF_THE_LIST, news(9, at=NINE - timedelta(days=999)), TAKEN),
        (Progress(4, 1, NINE), news(0, at=TEN), TAKEN),
        (Progress(0, 5, NINE), news(3, at=TEN), TAKEN),  # something was put back on their list
        (Progress(0, 5, TEN), news(3, at=NINE), OLDER),
        (Progress(0, 5, TEN), news(0, 5, at=TEN), SAME),
        (Progress(3, 5, TEN), news(2, 5, at=TEN), TAKEN),  # of one moment: who is farther
        (Progress(2, 5, TEN), news(3, 9, at=TEN), OLDER),
        (Progress(2, None, TEN), news(2, 0, at=TEN), TAKEN),
        (Progress(4, 1, None, 7), news(3, sequence=8), TAKEN),
        (Progress(4, 1, None, 7), news(3, sequence=6), OLDER),
        (Progress(4, 1, None, 7), news(4, 1, sequence=7), SAME),
        (Progress(4, 1, TEN), news(6, sequence=0), TAKEN),  # upstream has begun to count
        (Progress(4, 1, None, 0), news(0, at=TEN), OLDER),
    ],
)
def test_the_newer_counts(known: Progress, told: ProgressNews, verdict: ProgressVerdict) -> None:
    found, became = merge(known, told, NOW)
    assert became is verdict
    new = Progress(told.pending, told.completed, told.at, told.sequence)
    assert found == (new if verdict is TAKEN else known)


def test_news_of_a_time_that_has_not_come_hides_nothing() -> None:
    late = news(0, at=NOW + AHEAD + timedelta(seconds=1))
    assert merge(OF_THE_LIST, late, NOW) == (OF_THE_LIST, ProgressVerdict.IN_THE_FUTURE)
    assert merge(OF_THE_LIST, news(0, at=NOW + AHEAD), NOW)[1] is TAKEN


@pytest.mark.parametrize("place", [{}, {"at": NINE, "sequence": 3}])
def test_news_have_one_place(place: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="one of at and sequence"):
        news(3, **place)


PLACES = st.one_of(
    st.integers(0, 4).map(lambda hour: {"at": NINE - timedelta(hours=hour)}),
    st.integers(0, 4).map(lambda number: {"sequence": number}),
)
NEWS = st.builds(
    lambda pending, completed, place: news(pending, completed, **place),
    st.integers(0, 3),
    st.none() | st.integers(0, 3),
    PLACES,
)


@given(st.lists(NEWS, max_size=8), st.data())
def test_in_whatever_order_and_however_often_they_come_the_end_is_the_same(
    told: list[ProgressNews], data: st.DataObject
) -> None:
    again = data.draw(st.permutations(told + told[: len(told) // 2]))
    assert _all(told) == _all(again)


@given(st.lists(NEWS, min_size=1, max_size=8))
def test_only_what_is_taken_changes_anything_and_nothing_is_taken_twice(
    told: list[ProgressNews],
) -> None:
    known = OF_THE_LIST
    for each in told:
        before = known
        known, verdict = merge(known, each, NOW)
        assert (verdict is TAKEN) == (known != before)
        assert merge(known, each, NOW)[0] == known


def _all(told: list[ProgressNews]) -> Progress:
    known = OF_THE_LIST
    for each in told:
        known, _ = merge(known, each, NOW)
    return known
