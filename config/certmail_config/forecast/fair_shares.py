"""Fair shares: what each lane of a project gets of its pace while they drain side by side. Pure.

Max-min fairness: all get the same, and what a slower lane leaves is shared by the others. Times are
seconds from whatever the caller counts from.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Final

# Rounding must neither put a job into the slot before its own nor leave a rival with a billionth of
# a job.
TINY: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Backlog:
    """A number of lanes, each with the same number of jobs to send, at the same pace."""

    jobs: float
    per_second: float
    lanes: int = 1


@dataclass(slots=True, order=True)
class _Group:
    per_second: float
    lanes: int
    empty: float
    """When it will be: a time while it is slow, else a level."""
    slow: bool = False


class Project:
    """The rivals, and the pace that a lane of the project gets.

    Who is slower than the fair pace is slow and drains as time passes. The fast all send at the
    fair pace, so they drain in the order of their backlogs, as the level rises: the jobs that each
    of them would have sent by now.
    """

    def __init__(self, rivals: Sequence[Backlog], per_second: float, time: float) -> None:
        self._per_second, self._time, self._level, self._fair = per_second, time, 0.0, math.inf

        # Who changes sides next is at the end: the slowest of the fast, the fastest of the slow.
        self._fast = sorted(_merged(rivals), key=lambda group: -group.per_second)
        self._slow: list[_Group] = []

        self._groups = len(self._fast)
        self._fast_lanes = sum(group.lanes for group in self._fast)
        self._slow_rate = 0.0
        self._ends: dict[bool, list[tuple[float, _Group]]] = {
            False: [(group.empty, group) for group in self._fast],
            True: [],
        }
        heapify(self._ends[False])

    def share(self, pace: float) -> tuple[float, float]:
        """Give what a lane gets that could send at `pace`, and until when that holds at least."""
        if not self._groups:
            return min(pace, self._per_second), math.inf

        fair = self._fair_beside(pace)
        while self._slow and self._slow[-1].per_second > fair:
            self._change_sides(self._slow.pop())
            fair = self._fair_beside(pace)

        while self._fast and self._fast[-1].per_second <= fair:
            self._change_sides(self._fast.pop())
            fair = self._fair_beside(pace)

        self._fair = fair
        slow, level = self._next_end(slow=True), self._next_end(slow=False)
        return min(pace, fair), min(
            slow, self._time + (level - self._level) / fair if level < math.inf else level
        )

    def go_on(self, until: float) -> None:
        if not self._groups:
            return
        if self._fast_lanes:
            self._level += self._fair * (until - self._time)
        self._time = until
        # Whoever has a microsecond left is empty: rounding must not make steps that lead nowhere.
        while self._next_end(slow=True) <= until + TINY:
            self._leave(heappop(self._ends[True])[1])
        while self._next_end(slow=False) <= self._level + self._fair * TINY < math.inf:
            self._leave(heappop(self._ends[False])[1])

    def _fair_beside(self, pace: float) -> float:
        left = self._per_second - self._slow_rate
        fair = left / (self._fast_lanes + 1)
        if pace > fair:
            return fair
        return (left - pace) / self._fast_lanes if self._fast_lanes else math.inf

    def _change_sides(self, group: _Group) -> None:
        if not group.lanes:
            return

        if group.slow:
            group.empty = self._level + (group.empty - self._time) * group.per_second
        else:
            group.empty = self._time + (group.empty - self._level) / group.per_second

        group.slow = not group.slow
        sign = 1 if group.slow else -1
        self._slow_rate += sign * group.lanes * group.per_second
        self._fast_lanes -= sign * group.lanes
        (self._slow if group.slow else self._fast).append(group)
        heappush(self._ends[group.slow], (group.empty, group))

    def _leave(self, group: _Group) -> None:
        if group.slow:
            self._slow_rate -= group.lanes * group.per_second
        else:
            self._fast_lanes -= group.lanes
        group.lanes = 0
        self._groups -= 1

    def _next_end(self, *, slow: bool) -> float:
        ends = self._ends[slow]
        while ends:
            empty, group = ends[0]
            if group.lanes and group.slow is slow and group.empty == empty:
                return empty
            heappop(ends)  # of a group that has changed sides since
        return math.inf


def _merged(rivals: Iterable[Backlog]) -> list[_Group]:
    """Merge into one group the rivals whose paces are equal and whose backlogs are within 1 %.

    The sum of the jobs is kept.
    """
    found: dict[tuple[float, int], tuple[int, float]] = {}

    for rival in rivals:
        if rival.jobs > 0 and rival.per_second > 0 and rival.lanes > 0:
            key = rival.per_second, math.floor(math.log(rival.jobs) / math.log(1.01))
            lanes, jobs = found.get(key, (0, 0.0))
            found[key] = lanes + rival.lanes, jobs + rival.lanes * rival.jobs

    return [_Group(pace, lanes, jobs / lanes) for (pace, _), (lanes, jobs) in found.items()]
