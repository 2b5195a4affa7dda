"""What the soak takes for flat, and what for a leak."""

from __future__ import annotations

import random

import pytest

from soak.judging import Late, Point, Rule, Trend, is_flat, slices, trend
from soak.week import Load, Week

RANDOM = random.Random(1)


def series(growth: float, *, noise: float = 0.0, n: int = 200) -> list[Point]:
    """Something of 100, under two loads of different height, that grows by so much of itself."""
    return [
        Point(
            at,
            (100 if at % 10 < 7 else 160) * (1 + growth * at / n) * (1 + noise * RANDOM.random()),
            "night" if at % 10 < 7 else "day",
        )
        for at in range(n)
    ]


def found(points: list[Point]) -> Trend:
    made = trend(points)
    assert made is not None
    return made


class TestMemory:
    @pytest.mark.parametrize("growth", [0.0, 0.03, -0.2])
    def test_what_grows_by_less_than_a_twentieth_is_flat(self, growth: float) -> None:
        assert is_flat(found(series(growth, noise=0.02)), Rule.SHARE)

    @pytest.mark.parametrize("growth", [0.08, 0.5])
    def test_a_leak_is_seen_below_the_days_and_nights(self, growth: float) -> None:
        leak = found(series(growth, noise=0.02))
        assert not is_flat(leak, Rule.SHARE)
        assert leak.share == pytest.approx(growth, rel=0.3)

    def test_a_load_that_ends_is_no_shrinking_and_hides_no_leak(self) -> None:
        days = [Point(at, 160 + 0.1 * at, "day") for at in range(100)]
        nights = [Point(at, 100 + 0.1 * at, "night") for at in range(100, 200)]
        assert not is_flat(found(days + nights), Rule.SHARE)

    def test_a_few_wild_samples_change_nothing(self) -> None:
        wild = [Point(at, 900.0, "night") for at in (150.5, 170.5, 199.5)]
        assert is_flat(found(series(0.01) + wild), Rule.SHARE)

    def test_of_a_few_samples_or_of_none_alike_nothing_is_concluded(self) -> None:
        assert trend(series(0.5, n=5)) is None
        assert trend([Point(at, 1.0, str(at)) for at in range(50)]) is None

    def test_very_many_samples_are_judged_as_well(self) -> None:
        assert not is_flat(found(series(0.1, n=5_000)), Rule.SHARE)


class TestDescriptors:
    def test_two_more_are_none_and_one_each_while_is_a_leak(self) -> None:
        steps = [Point(at, 40.0 + (at > 100) + (at > 150), "night") for at in range(200)]
        leak = [Point(at, 40.0 + at // 20, "night") for at in range(200)]
        assert is_flat(found(steps), Rule.COUNT)
        assert not is_flat(found(leak), Rule.COUNT)


class TestPunctuality:
    def test_what_scatters_is_chance_and_what_climbs_is_not(self) -> None:
        scattered = [Point(at, RANDOM.uniform(0.1, 0.4), "day") for at in range(40)]
        climbing = [
            Point(point.at, point.value * (1 + point.at / 20), "day") for point in scattered
        ]
        assert is_flat(found(scattered), Rule.CHANCE)
        assert not is_flat(found(climbing), Rule.CHANCE)

    def test_percentiles_are_of_so_many_mails_of_one_load(self) -> None:
        mails = [Late(n, n % 100 / 100, "day" if n < 250 else "night") for n in range(500)]
        made = slices(mails)
        assert [point.load for point in made["p99"]] == ["day", "day", "night", "night"]
        assert [point.value for point in made["p99"]] == pytest.approx([0.98] * 4, abs=0.01)
        assert made["p50"][0].value == pytest.approx(0.5, abs=0.01)

    def test_nothing_was_sent_so_nothing_is_said(self) -> None:
        assert slices([]) == {"p50": [], "p99": []}
        assert slices([Late(0, 1, "day")]) == {"p50": [], "p99": []}


class TestWeek:
    WEEK = Week(seconds=600, rate=5)

    def test_it_has_as_many_reminders_as_it_should_and_loses_none_between(self) -> None:
        dues = [self.WEEK.due(at / 10) for at in range(6_001)]
        assert dues == sorted(dues)
        assert (dues[0], dues[-1], self.WEEK.due(10_000)) == (0, 3_000, 3_000)

    def test_mondays_morning_has_twice_as_much_as_tuesdays(self) -> None:
        hour = self.WEEK.hour
        monday, tuesday = (
            self.WEEK.due((24 * day + 10) * hour) - self.WEEK.due((24 * day + 8) * hour)
            for day in (0, 1)
        )
        assert monday == pytest.approx(2 * tuesday, abs=2)

    def test_stores_are_compared_once_they_have_forgotten_what_was_before(self) -> None:
        hour = self.WEEK.hour
        assert self.WEEK.load(9 * hour) is Load.PEAK
        assert self.WEEK.steady(20 * hour) is None, "of the day it still knows"
        assert self.WEEK.steady(24.5 * hour) is Load.NIGHT
        assert self.WEEK.steady(33 * hour) is None
        assert self.WEEK.steady(40.5 * hour) is Load.DAY

    def test_a_time_of_the_week_has_its_name(self) -> None:
        assert self.WEEK.name(0) == "Mon 00:00"
        assert self.WEEK.name(self.WEEK.seconds / 7 * 2.5) == "Wed 12:00"
        assert self.WEEK.name(599.999) == "Sun 23:59"
