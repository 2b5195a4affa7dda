"""A simulation of pacing: the ledger's real scripts, under a clock that is moved by hand.

Google, the network and the workers' own work are played; what leaves when is decided by the same
scripts as in production. `Scenario` says what is simulated, `Simulation` does it and keeps count.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId, JobId
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import (
    Begun,
    Call,
    Claimed,
    Job,
    Lane,
    Pause,
    Settlement,
    advertise,
    begin,
    claim,
    dispatch,
    enqueue,
    open_lane,
    reap,
    run,
    run_many,
    set_lane,
    settle,
)
from certmail_config.ledger.lanes import SEND_UNITS
from certmail_worker.simulation.scenario import START, Scenario, Window

LEASE_SECONDS: Final = 45.0
MAX_AT_ONCE: Final = 500
REAP_SECONDS: Final = 0.5
"""As often as a worker's reaper does."""
_REASON: Final = "simulated"
BATCH: Final = 1000


@dataclass(frozen=True, slots=True)
class Flight:
    """A job between its doorbell and the settled record."""

    job: Job
    attempt: int
    worker: int


class Simulation:
    """One ledger on an empty server.

    `now` is its time; `left` says when each mail arrived at Google, in order.
    """

    def __init__(self, redis: Redis, scenario: Scenario, *, body: bytes = b"simulated") -> None:
        self.redis, self.scenario, self.now = redis, scenario, START
        self._body = body

        self.lanes: dict[str, Lane] = {}
        self.left: list[tuple[float, str]] = []
        self.refused: Counter[str] = Counter()
        self.bounced: Counter[str] = Counter()
        self.mailboxes: dict[str, Window] = {}
        self.projects: dict[str, Window] = {}
        self.uncertain = 0

        self.answer: Callable[[str, float], AttemptOutcome | Pause | None] = lambda _lane, _at: None
        """Google's answer to a request of a lane that arrives at a time.

        None: what its limits say.
        """
        self.hang: Callable[[str, float], float] = lambda _lane, _at: 0.0
        """How much longer than usual it takes to answer, seconds."""

        # A simulation that can be run again.
        self._random = random.Random(scenario.seed)  # noqa: S311
        self._events: list[tuple[float, int, str, Any]] = []
        self._numbers = 0
        self._pace_at = START
        self._noted = 0.0
        self._reaped = 0.0

        redis.set(redis_keys.CHECKED_RUN, redis.info("server")["run_id"])
        self._note()
        self._calls([self._advertise(n) for n in range(scenario.workers)])

    def add(self, lane: Lane) -> None:
        """Make a lane and open it."""
        self.add_all([lane])

    def add_all(self, lanes: Iterable[Lane]) -> None:
        """Make lanes and open them."""
        made = list(lanes)
        self.lanes |= {lane.connection: lane for lane in made}

        for lane in made:
            self.mailboxes.setdefault(lane.mailbox, Window(lane.units_per_minute // SEND_UNITS))
            self.projects.setdefault(
                lane.project, Window(lane.project_units_per_minute // SEND_UNITS)
            )

        self._calls(
            [set_lane(lane, code="connection_draft", message="not set up yet") for lane in made]
        )
        self._calls([open_lane(lane.connection, lane.version, clock=self.now) for lane in made])

    def enqueue(
        self, lane: str, count: int = 1, *, priority: int = 5, life: float = 30 * 86400
    ) -> list[str]:
        """Put reminders into a lane; gives their ids."""
        # In their order, as UUIDv7s are.
        ids = [f"{lane}-{self._number():09d}" for _ in range(count)]
        calls = [
            enqueue(
                id=JobId(id_),
                tenant=lane,
                connection=ConnectionId(lane),
                dedupe=id_,
                fingerprint="",
                state=State.READY,
                reason="",
                send_at=None,
                expires_at=self.now + life,
                priority=priority,
                kind="reminder",
                campaign="simulated",
                keep_seconds=60,
                body=self._body,
                clock=self.now,
            )
            for id_ in ids
        ]

        self._calls(calls)
        return ids

    def run(self, until: float) -> None:
        """Go on until a time."""
        while (at := self._next()) <= until:
            # In steps, so that what happens at about the same time goes to the server together.
            self.now = max(at, self.now + self.scenario.step)
            self._note()
            self._play_due()
            if self.now >= self._pace_at:
                self._pace()
        self.now = max(self.now, until)

    def waiting(self) -> int:
        """Jobs that have not ended."""
        return self.redis.zcard(redis_keys.DUE)

    def _next(self) -> float:
        return min(self._pace_at, self._events[0][0]) if self._events else self._pace_at

    def _pace(self) -> None:
        stalled = self._stalled_until(0, self.now)
        if stalled > self.now:
            self._pace_at = stalled
            return

        if self.now >= self._reaped + REAP_SECONDS:
            self._reaped = self.now
            run(self.redis, reap(MAX_AT_ONCE, clock=self.now))

        step = run(self.redis, dispatch(MAX_AT_ONCE, clock=self.now))
        for id_ in step.jobs:
            worker = self._number() % self.scenario.workers
            self._at(self.now, worker, "claim", id_)

        wait = 1.0 if step.next_in is None else min(step.next_in, 3600.0)
        self._pace_at = self.now + max(self.scenario.step, wait)

    def _play_due(self) -> None:
        """All that happens by now: doorbells answered, requests arriving, answers settled."""
        happened: defaultdict[str, list[Any]] = defaultdict(list)
        while self._events and self._events[0][0] <= self.now:
            at, _, what, subject = heapq.heappop(self._events)
            happened[what].append((at, subject))
        for at, flight in sorted(happened["arrive"], key=lambda item: cast("float", item[0])):
            self._arrive(at, flight)
        self._settle([subject for _, subject in happened["settle"]])
        self._deliver([subject for _, subject in happened["claim"]])

    def _deliver(self, doorbells: list[tuple[int, str]]) -> None:
        claims = [
            claim(
                JobId(id_),
                worker=f"w{worker}",
                nonce=f"{self._number()}",
                lease_seconds=LEASE_SECONDS,
                clock=self.now,
            )
            for worker, id_ in doorbells
        ]

        claimed = []

        for (worker, _), answer in zip(doorbells, self._calls(claims), strict=True):
            if isinstance(answer, Claimed):
                claimed.append((worker, answer.job))
            else:
                self.bounced[answer.why] += 1

        begins = [begin(job, lease_seconds=LEASE_SECONDS, clock=self.now) for _, job in claimed]
        for (worker, job), answer in zip(claimed, self._calls(begins), strict=True):
            if isinstance(answer, Begun):
                took = self._random.uniform(*self.scenario.latency)
                self._at(self.now + took / 2, worker, "arrive", Flight(job, answer.attempt, worker))
            else:
                self.bounced[answer.why] += 1

    def _arrive(self, at: float, flight: Flight) -> None:
        """Google takes a message, or refuses it; its answer is on its way."""
        lane = self.lanes[flight.job.connection]
        outcome = self.answer(flight.job.connection, at)
        if outcome is None:
            outcome = AttemptOutcome.ACCEPTED
            for name, window in (
                ("mailbox", self.mailboxes[lane.mailbox]),
                ("project", self.projects[lane.project]),
            ):
                if not window.takes(at):
                    self.refused[name] += 1
                    outcome = Pause(at + 2, named=False, project=name == "project", allowed=0)

        if outcome is AttemptOutcome.ACCEPTED:
            self.left.append((at, flight.job.id))
        back = self._random.uniform(*self.scenario.latency) / 2 + self.hang(
            flight.job.connection, at
        )
        self._at(at + back, flight.worker, "settle", (flight, outcome))

    def _settle(self, answered: list[tuple[Flight, AttemptOutcome | Pause]]) -> None:
        calls = []

        for flight, outcome in answered:
            if isinstance(outcome, Pause):
                then = Settlement(AttemptOutcome.REJECTED, State.READY, _REASON, pause=outcome)
            elif outcome is AttemptOutcome.ACCEPTED:
                then = Settlement(outcome, State.ACCEPTED, _REASON)
            else:
                self.uncertain += 1
                then = Settlement(outcome, State.UNCERTAIN, _REASON, probe_in=15.0)
            calls.append(settle(flight.job.id, flight.attempt, then, detail="{}", clock=self.now))

        self._calls(calls)

    def _at(self, at: float, worker: int, what: str, subject: Any) -> None:
        """Something that a worker does or meets; not while it stands still."""
        at = self._stalled_until(worker, at)
        item = (worker, subject) if what == "claim" else subject
        heapq.heappush(self._events, (at, self._number(), what, item))

    def _stalled_until(self, worker: int, at: float) -> float:
        for stall in self.scenario.stalls:
            if stall.worker == worker and START + stall.at <= at < START + stall.at + stall.seconds:
                return START + stall.at + stall.seconds
        return at

    def _note(self) -> None:
        """Workers note the time each second."""
        if self.now >= self._noted + 1:
            self._noted = self.now
            run(self.redis, advertise("ticker", 0, seconds=0, believe=True, clock=self.now))
            # The stream is recorded at once here, so that it does not grow.
            self.redis.xtrim(redis_keys.EVENTS, maxlen=1000)

    def _advertise(self, worker: int) -> Call[Any]:
        return advertise(f"w{worker}", self.scenario.capacity, seconds=1e9, clock=self.now)

    def _calls(self, calls: Sequence[Call[Any]]) -> list[Any]:
        answers: list[Any] = []
        for start in range(0, len(calls), BATCH):
            answers += run_many(self.redis, calls[start : start + BATCH])[0]
        return answers

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers
