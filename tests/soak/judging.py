"""Judging: whether what was measured for hours stays flat. Pure.

Like is compared with like: a slope is taken between two samples of the same load only, and the
median of all slopes is the trend (Theil and Sen, by season as Hirsch, Slack and Smith have it: Water
Resources Research 18, 1982). A few wild samples change nothing. Where samples scatter, Kendall's
test by season says whether a trend can be told from chance.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from statistics import median, quantiles
from typing import Final

MAX_POINTS: Final = 800
"""Of more each second is left out: what is compared in pairs grows by the square."""
FEWEST: Final = 8
"""Of fewer samples nothing is concluded."""
FLAT: Final = 0.05
"""How much of itself something may grow by."""
MORE: Final = 2.0
"""How many more descriptors or threads there may be at the end."""
CHANCE: Final = 0.01
"""A trend that chance would bring about more often is none."""
SLICE: Final = 100
"""So many mails at least have a 99th percentile."""


class Rule(StrEnum):
    """By what something is judged."""

    SHARE = "5 %"
    """It grows by no more than a twentieth of itself."""
    COUNT = "2 more"
    """There are no more than two more of it."""
    CHANCE = "5 %, p"
    """It grows by no more than a twentieth, or by what may be chance."""


@dataclass(frozen=True, slots=True)
class Point:
    """What was measured, when, and under which load: only those of the same are compared."""

    at: float
    value: float
    load: str


@dataclass(frozen=True, slots=True)
class Trend:
    """What a series does from its first to its last sample.

    Attributes:
        level: Its median.
        growth: By how much it grows in all, negative if it shrinks.
        risen: By how much its last third lies above its first, the median of each.
        chance: How likely it is that this much comes about by chance, if samples are independent.
    """

    level: float
    growth: float
    risen: float
    chance: float

    @property
    def share(self) -> float:
        """The growth as a part of the level."""
        return self.growth / self.level if self.level else math.inf if self.growth > 0 else 0.0


def trend(points: Iterable[Point]) -> Trend | None:
    """The trend of a series; None where there are too few samples, or no two of the same load."""
    series = _thinned(sorted(points, key=lambda point: point.at))
    slopes = [
        (later.value - earlier.value) / (later.at - earlier.at)
        for earlier, later in combinations(series, 2)
        if earlier.load == later.load and later.at > earlier.at
    ]
    if len(series) < FEWEST or not slopes:
        return None

    span = series[-1].at - series[0].at
    level = median(point.value for point in series)
    by_load = _by_load(series)
    return Trend(level, median(slopes) * span, _risen(by_load), _chance(by_load))


def _thinned(series: list[Point]) -> list[Point]:
    while len(series) > MAX_POINTS:
        series = series[::2]
    return series


def _by_load(series: Sequence[Point]) -> list[list[float]]:
    by_load: dict[str, list[float]] = defaultdict(list)
    for point in series:
        by_load[point.load].append(point.value)
    return list(by_load.values())


def _risen(by_load: Sequence[Sequence[float]]) -> float:
    thirds = ((values[: len(values) // 3], values[-(len(values) // 3) :]) for values in by_load)
    return median(
        [median(last) - median(first) for first, last in thirds if first and last] or [0.0]
    )


def _chance(by_load: Sequence[Sequence[float]]) -> float:
    """One-sided: how likely chance makes at least so many pairs grow."""
    score = variance = 0.0
    for values in by_load:
        n = len(values)
        score += sum(
            (later > earlier) - (later < earlier) for earlier, later in combinations(values, 2)
        )
        variance += n * (n - 1) * (2 * n + 5) / 18

    return 0.5 * math.erfc((score - 1) / math.sqrt(2 * variance)) if variance else 1.0


def is_flat(found: Trend, rule: Rule) -> bool:
    """Whether it does not grow by more than its rule lets it."""
    match rule:
        case Rule.SHARE:
            return found.share <= FLAT
        case Rule.COUNT:
            return found.risen <= MORE
        case Rule.CHANCE:
            return found.share <= FLAT or found.chance > CHANCE


@dataclass(frozen=True, slots=True)
class Late:
    """How late a mail was, seconds, at what time and under which load."""

    at: float
    seconds: float
    load: str


def slices(mails: Iterable[Late], size: int = SLICE) -> dict[str, list[Point]]:
    """The 50th and 99th percentile of punctuality, of so many mails of the same load at a time.

    What is left over at the end of a load is counted with the slice before.
    """
    by_load: dict[str, list[Late]] = defaultdict(list)
    for mail in sorted(mails, key=lambda mail: mail.at):
        by_load[mail.load].append(mail)

    p50, p99 = [], []
    for load, found in by_load.items():
        whole = max(len(found) // size, 1)
        for n in range(whole):
            part = found[n * size : (n + 1) * size if n < whole - 1 else len(found)]
            if len(part) < min(size, 2):
                continue
            at = median(mail.at for mail in part)
            hundredths = quantiles((mail.seconds for mail in part), n=100, method="inclusive")
            p50.append(Point(at, hundredths[49], load))
            p99.append(Point(at, hundredths[98], load))

    return {"p50": sorted(p50, key=_at), "p99": sorted(p99, key=_at)}


def _at(point: Point) -> float:
    return point.at
