"""The forecaster: when reminders that wait will leave.

It puts what the ledger shows into the forecast's model.

It holds for workers that keep up, and for what is enqueued by now: what comes later with a higher
priority, or for other lanes of the same project, makes it later.
"""

from __future__ import annotations

import math
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import takewhile
from typing import Final, NamedTuple

from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId
from certmail_config.forecast.fair_shares import Backlog
from certmail_config.forecast.model import Day, WarmUp, drained_at
from certmail_config.jobs.states import State
from certmail_config.ledger import run, run_many
from certmail_config.ledger.survey import LaneSurvey, survey, survey_places, survey_project

RIVALS_SECONDS: Final = 10.0
"""How long what waits in a project's other lanes is taken for known.

With thousands of them it takes a while to ask.
"""
POINTS: Final = 9
"""How many places of a lane are computed; those between are interpolated."""
_DAY: Final = 86_400.0
_SLOT: Final = 300.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job that waits: in its lane, or for a time (seconds since 1970)."""

    id: str
    connection: ConnectionId
    state: State
    send_at: float | None = None


class Place(NamedTuple):
    """Where a job waits: how many of its lane leave before it, and for which time, if for one."""

    connection: ConnectionId
    ahead: int
    send_at: float | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """When the jobs at some places of a lane leave, in order; at least one."""

    places: tuple[int, ...]
    times: tuple[float | None, ...]

    def at(self, place: int) -> datetime | None:
        """When the one at a place leaves.

        None if that, or what is around it, lies beyond the horizon.
        """
        after = min(bisect_left(self.places, place), len(self.places) - 1)
        before = max(after - 1, 0)
        one, other = self.times[before], self.times[after]
        if one is None or other is None:
            return None

        span = self.places[after] - self.places[before]
        share = (place - self.places[before]) / span if span else 1.0
        return datetime.fromtimestamp(one + (other - one) * share, UTC)


class Forecaster:
    """Answers when jobs will leave. One per client; not for several threads at once."""

    def __init__(self, redis: Redis, *, now: Callable[[], float] = time.time) -> None:
        self._redis = redis
        self._now = now
        self._rivals: dict[tuple[str, ConnectionId], tuple[float, tuple[Backlog, ...]]] = {}

    def of(self, jobs: Sequence[Waiting]) -> list[datetime | None]:
        """When each will leave; None where its lane is stopped, or it waits no longer.

        None, too, beyond the horizon. Raises RedisError.
        """
        lanes = sorted({job.connection for job in jobs})
        surveys = dict(
            zip(lanes, run_many(self._redis, [survey(lane) for lane in lanes])[0], strict=True)
        )
        places = [
            None if ahead is None else Place(job.connection, ahead, job.send_at)
            for job, ahead in zip(jobs, self._ahead(jobs), strict=True)
        ]
        return self.of_places(places, surveys.get)

    def of_places(
        self,
        places: Sequence[Place | None],
        seen_as: Callable[[ConnectionId], LaneSurvey | None],
    ) -> list[datetime | None]:
        """As `of`, for whoever knows the places, and the lanes as they were seen."""
        answers: list[datetime | None] = [None] * len(places)

        for (lane, send_at), asked in _by_lane(places).items():
            seen = seen_as(lane)
            if seen is None or not seen.open:
                continue
            curve = self._curve(lane, seen, send_at, [place for _, place in asked])
            for index, place in asked:
                answers[index] = curve.at(place)

        return answers

    def _ahead(self, jobs: Sequence[Waiting]) -> list[int | None]:
        """How many of its lane leave before each job.

        Of a scheduled one those that wait for the same time or an earlier one.
        """
        waits = [job for job in jobs if job.state in {State.READY, State.SCHEDULED}]
        found = run(
            self._redis, survey_places([(job.state, job.connection, job.id) for job in waits])
        )
        places = iter(found)

        return [
            next(places) if job.state in {State.READY, State.SCHEDULED} else None for job in jobs
        ]

    def _curve(
        self, lane: ConnectionId, seen: LaneSurvey, send_at: float, places: Sequence[int]
    ) -> Curve:
        """When the jobs at some places of the lane leave: enough of them to know all between."""
        first, last = min(places), max(places)
        some = tuple(
            sorted({first + round((last - first) * n / (POINTS - 1)) for n in range(POINTS)})
        )
        now = self._now()
        scheduled = send_at > now
        due = self._due_before(lane, send_at) if scheduled else 0
        times = []

        for place in some:
            # A scheduled one leaves behind all that is ready by then, and behind those of its own
            # moment.
            after_all = self._leaves(lane, seen, now, place + (seen.ready if scheduled else 0))
            at_its_time = self._leaves(lane, seen, send_at, place - due) if scheduled else after_all
            times.append(
                None if after_all is None or at_its_time is None else max(after_all, at_its_time)
            )

        return Curve(some, tuple(times))

    def _due_before(self, lane: ConnectionId, send_at: float) -> int:
        """How many scheduled jobs of the lane wait for an earlier time."""
        redis = self._redis
        return int(redis.zcount(redis_keys.LATER + lane, "-inf", f"({round(send_at * 1000)}"))

    def _leaves(
        self, lane: ConnectionId, seen: LaneSurvey, start: float, jobs: int
    ) -> float | None:
        rivals = self._rivals_of(lane, seen)
        warm_up = (
            WarmUp(seen.sends_since or start, seen.warm_up_days) if seen.warm_up_days else None
        )
        drained = partial(
            drained_at,
            start,
            per_second=seen.per_second,
            not_before=max(start, seen.not_before),
            day=Day(seen.per_day, seen.day),
            warm_up=warm_up,
            rivals=rivals,
            project_per_second=seen.project_per_second,
            project_not_before=max(start, seen.project_not_before),
        )

        at = drained(jobs)
        if at is None:
            return None

        # The model knows shares, not whose turn it is: within a round it is the lane's place that
        # counts.
        if rivals:
            turn = (1 + sum(rival.lanes for rival in rivals)) / seen.project_per_second
            after = drained(jobs + 1) or at
            at += seen.place * min(turn, after - at) if turn > 1 / seen.per_second else 0

        return at + _days_waited(start, at, jobs, seen, rivals)

    def _rivals_of(self, lane: ConnectionId, seen: LaneSurvey) -> tuple[Backlog, ...]:
        """What the project's other lanes have to send.

        Nobody is asked where they could not fill the project anyway.
        """
        day_left = seen.project_per_day - seen.project_day_used
        if (
            seen.project_lanes * seen.per_second <= seen.project_per_second
            and seen.unfinished <= day_left
        ):
            return ()

        known = self._rivals.get((seen.project, lane))
        if known is not None and known[0] > time.monotonic():
            return known[1]

        counted: defaultdict[tuple[int, float], int] = defaultdict(int)
        cursor = 0

        while True:
            page = run(self._redis, survey_project(seen.project, cursor, but=lane))
            for found in page.lanes:
                counted[found] += 1
            cursor = page.cursor
            if cursor == 0:
                break

        rivals = tuple(
            Backlog(jobs, pace, lanes) for (jobs, pace), lanes in counted.items() if jobs
        )
        self._keep(seen.project, lane, rivals)
        return rivals

    def _keep(self, project: str, lane: ConnectionId, rivals: tuple[Backlog, ...]) -> None:
        """Remember them for a while, and none that are older."""
        now = time.monotonic()
        self._rivals.pop((project, lane), None)
        self._rivals[project, lane] = (now + RIVALS_SECONDS, rivals)

        # They were put in by time.
        for key in list(takewhile(lambda key: self._rivals[key][0] <= now, self._rivals)):
            del self._rivals[key]


def _by_lane(
    places: Sequence[Place | None],
) -> dict[tuple[ConnectionId, float], list[tuple[int, int]]]:
    """The places by lane and by the time that is waited for: of each its index, and it from 1."""
    found: defaultdict[tuple[ConnectionId, float], list[tuple[int, int]]] = defaultdict(list)

    for index, place in enumerate(places):
        if place is not None:
            found[place.connection, place.send_at or 0.0].append((index, place.ahead + 1))

    return found


def _days_waited(
    start: float, at: float, jobs: int, seen: LaneSurvey, rivals: Sequence[Backlog]
) -> float:
    """How much later it is because the project's own day is full.

    Then all its lanes wait until it is a day ago.
    """
    took = max(at - start, 1.0)
    others = sum(min(rival.jobs, rival.per_second * took) * rival.lanes for rival in rivals)
    sent = min(jobs + others, took * seen.project_per_second)
    over = sent - (seen.project_per_day - seen.project_day_used)
    if over <= 0:
        return 0.0

    days = math.ceil(over / seen.project_per_day)
    return days * (_DAY + _SLOT - took * seen.project_per_day / sent)
