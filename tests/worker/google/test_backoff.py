"""How long is waited: more each time, up to a limit, and never the same for everybody."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tenacity.wait import wait_base

from certmail_worker.google import backoff
from certmail_worker.google.backoff import seconds

GROWING = {
    "JOB": (2, 1800, 2),
    "MAILBOX": (2, 900, 1),
    "DAY": (900, 86400, 60),
    "OPERATOR": (30, 3600, 10),
    "TOKEN": (2, 300, 1),
    "STORE": (0.1, 5, 0.2),
}
"""Name: first wait, longest, and how much chance adds at most; seconds."""


@pytest.mark.parametrize(
    ("name", "first", "longest", "chance"), [(name, *row) for name, row in GROWING.items()]
)
class TestGrowing:
    def test_the_first_wait_is_the_documented_one(
        self, name: str, first: float, longest: float, chance: float
    ) -> None:
        assert all(first <= seconds(strategy(name), 1) <= first + chance for _ in range(50))

    def test_each_is_twice_the_one_before_until_the_longest(
        self, name: str, first: float, longest: float, chance: float
    ) -> None:
        expected = first
        for count in range(1, 30):
            assert expected <= seconds(strategy(name), count) <= expected + chance
            expected = min(expected * 2, longest)

    def test_it_stays_there_however_often_it_fails(
        self, name: str, first: float, longest: float, chance: float
    ) -> None:
        for count in (100, 10_000, 10**9):
            assert longest <= seconds(strategy(name), count) <= longest + chance

    def test_not_all_come_back_at_the_same_moment(
        self, name: str, first: float, longest: float, chance: float
    ) -> None:
        assert len({seconds(strategy(name), 3) for _ in range(20)}) > 1


def strategy(name: str) -> wait_base:
    found = getattr(backoff, name)
    assert isinstance(found, wait_base)
    return found


def test_every_growing_strategy_is_tried() -> None:
    named = {name for name, value in vars(backoff).items() if isinstance(value, wait_base)}
    assert named == GROWING.keys()


def test_google_is_never_asked_again_within_a_second() -> None:
    """google.md §1.3: the first retry comes at least a second after the error."""
    for name in ("JOB", "MAILBOX", "DAY", "OPERATOR", "TOKEN"):
        assert seconds(strategy(name), 1) >= 1


@settings(deadline=None)
@given(st.sampled_from(sorted(GROWING)), st.integers(-5, 10**12))
def test_any_count_gives_a_wait(name: str, count: int) -> None:
    assert 0 < seconds(strategy(name), count) < 86400 + 61
