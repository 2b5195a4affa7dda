"""When a lane will be empty: a fluid model of how certmail sends.

Pure; all times are seconds since 1970.

Lanes of one project get equal shares of its pace, and what a slower lane leaves is shared by the
others (max-min fairness). Between two events (a rival is empty, a place in the day is free, a day
of warming up ends) all paces are constant, so the model goes from event to event and asks nobody.
"""

from __future__ import annotations

import math
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from certmail_config.forecast.fair_shares import TINY, Backlog, Project

_DAY: Final = 86400
_SLOT: Final = 300
HORIZON_SECONDS: Final = 90 * _DAY
"""Beyond it nobody plans."""


@dataclass(frozen=True, slots=True)
class Day:
    """A mailbox's rolling day.

    `used`: (when they leave the day, seconds since 1970; how many), the soonest first.
    """

    limit: int
    used: tuple[tuple[float, int], ...] = ()


@dataclass(frozen=True, slots=True)
class WarmUp:
    """A new mailbox sends less at first.

    On day d (0, 1, …, counted in 24 h from `since`) it is the share (d+1)/(days+1) of its pace and
    of its day; from day `days` on it is all.
    """

    since: float
    days: int


def drained_at(
    now: float,
    jobs: int,
    *,
    per_second: float,
    not_before: float | None = None,
    day: Day | None = None,
    warm_up: WarmUp | None = None,
    rivals: Sequence[Backlog] = (),
    project_per_second: float = math.inf,
    project_not_before: float | None = None,
) -> float | None:
    """Say when the `jobs`-th job of a lane will leave; None if not within the horizon.

    No jobs have left already: `now`.

    `not_before` holds the mailbox back (its next slot, or a cool-down), `project_not_before` the
    whole project. `rivals` are the project's other lanes; how their own days limit them is for the
    caller to cut off.
    """
    if jobs <= 0:
        return now

    # No 24 hours see more than the limit, and the horizon touches 91 of them at most.
    if (
        per_second <= 0
        or project_per_second <= 0
        or (day and jobs > day.limit * (HORIZON_SECONDS // _DAY + 1))
    ):
        return None

    # From a slot's begin near now, not from 1970: there, a float is only as fine as a quarter of a
    # microsecond.
    base = now // _SLOT * _SLOT
    time = max(now, project_not_before or now) - base
    start = max(time, (not_before or now) - base)
    horizon = now + HORIZON_SECONDS - base
    # A project without a limit is shared by nobody.
    project = Project(rivals if math.isfinite(project_per_second) else (), project_per_second, time)
    window = _Window(day, base)
    warmth = _Warmth(warm_up, base)
    pace = 0.0

    # The part of its interval that the lane has waited since its last job; that before the first is
    # over.
    waited = 1.0

    while time < horizon:
        if time >= warmth.until:
            warmth.go_on(time)
            pace = per_second * warmth.step / warmth.steps
            window.allow(warmth)

        places = window.places(time) if time >= start else 0
        rate, until = project.share(pace if places > 0 else 0.0)
        until = min(until, warmth.until, horizon)

        if places > 0:
            due = min(places, jobs)
            done = time + max(0.0, due - waited) / rate
            if done <= until:
                until, left, still = done, due, 0.0
            else:
                still = waited + rate * (until - time)
                left = min(due, int(still + TINY))
                still = max(0.0, still - left)

            window.count(time, until, waited, rate, left)
            jobs, waited = jobs - left, still
            if not jobs:
                return base + done
        else:
            until = min(until, window.frees()) if time >= start else min(until, start)
            waited = min(1.0, waited + pace * (until - time))

        project.go_on(until)
        time = until

    return None


class _Warmth:
    """Which step of warming up holds, and until when; times are seconds from `base`."""

    def __init__(self, warm_up: WarmUp | None, base: float) -> None:
        self.steps = warm_up.days + 1 if warm_up else 1
        self.step = 0
        self.until = -math.inf
        self._since = warm_up.since - base if warm_up else -math.inf

    def go_on(self, time: float) -> None:
        while time >= self.until:
            self.step += 1
            self.until = self._since + self.step * _DAY if self.step < self.steps else math.inf


class _Window:
    """The places of a rolling day; times are seconds from `base`, where a slot begins."""

    def __init__(self, day: Day | None, base: float) -> None:
        self._day = day
        self._taken = deque((at - base, count) for at, count in day.used) if day else deque()
        self._free = -sum(count for _, count in self._taken)
        self._limit = 0

    def allow(self, warmth: _Warmth) -> None:
        if self._day:
            limit = min(self._day.limit, max(1, self._day.limit * warmth.step // warmth.steps))
            self._free, self._limit = self._free + limit - self._limit, limit

    def places(self, time: float) -> int:
        if self._day is None:
            return sys.maxsize
        while self._taken and self._taken[0][0] <= time:
            self._free += self._taken.popleft()[1]
        return self._free

    def frees(self) -> float:
        return self._taken[0][0] if self._taken else math.inf

    def count(self, time: float, until: float, waited: float, rate: float, left: int) -> None:
        """Take a place for each job that left at `rate`.

        It is free again a day after the end of the slot it left in.
        """
        if self._day is None:
            return

        self._free -= left
        counted = 0
        end = ((time + TINY) // _SLOT + 1) * _SLOT
        while end <= until + TINY and counted < left:
            # What leaves just as a slot ends belongs to the next one.
            before = min(left, math.ceil(waited + rate * (end - time) - TINY) - 1)
            if before > counted:
                self._taken.append((end + _DAY, before - counted))
                counted = before
            end += _SLOT

        if left > counted:
            self._taken.append((end + _DAY, left - counted))
