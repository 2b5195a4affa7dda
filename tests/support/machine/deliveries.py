"""Deliveries, whole or in part: rules of the machine that make several calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from certmail_config.jobs.states import AttemptOutcome, State
from certmail_worker.delivery.send_failures import FailureClass, Verdict
from support.machine.actors import LEASE_MS
from support.machine.neighbours import Neighbours
from support.machine.pressure import GOOD, lanes, rarely, workers
from support.machine.settlements import stops, verdicts

pauses = st.sampled_from(
    [1, 20, 700, 1_100, 2_000, 2_001, 4_000, 21_000, 45_000, 62_000, 62_000, 300_000]
)
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Turn:
    """One delivery: as far as its doorbell, claim, begin or settle; and what comes after."""

    worker: str
    verdict: Verdict
    as_far_as: int
    pause: int
    reaped: bool


turns = st.lists(
    st.builds(
        Turn,
        worker=workers,
        verdict=verdicts(),
        as_far_as=st.sampled_from([2, 3, 3, 3, 4, 4]),
        pause=pauses,
        reaped=st.booleans(),
    ),
    min_size=1,
    max_size=3,
)


class Deliveries(Neighbours):
    """Rules of the machine for deliveries.

    Wherever one of them ends, its workers may come back later, or be gone.
    """

    @rule(lane=lanes, turns=turns)
    def deliver(self, lane: str, turns: list[Turn]) -> None:
        """One after another; each worker crashes, or is slow, where it stops."""
        for turn in turns:
            job = self.fetch(lane, turn.worker)
            begun = self.start(job, None) if job and turn.as_far_as > 2 else None
            self.ledgers.ms += turn.pause
            if job and begun and turn.as_far_as > 3:
                self.settle_attempt(job, begun, turn.verdict)
            if turn.reaped:
                self.pass_time(0)

    @rule(lane=lanes, worker=workers, lost=rarely)
    def prepare(self, lane: str, worker: str, *, lost: bool) -> None:
        """As far as a claim; what follows is for others to say."""
        self.fetch(lane, worker, lost=lost)

    @rule()
    def ring_for_all(self) -> None:
        for lane in ("a", "c", "d"):
            self.make_leasable(lane)
        self.ring(100)

    @rule(
        lane=lanes,
        asleep=st.sampled_from([2_100, LEASE_MS, 100_000]),
        anew=st.sampled_from(["nobody came", "", "rung", "claimed"]),
        stop=stops(),
        released=st.booleans(),
    )
    def come_back(
        self, lane: str, asleep: int, anew: str, stop: dict[str, Any], *, released: bool
    ) -> None:
        """A worker that was frozen after its claim goes on, whoever has the job by then."""
        job = self.fetch(lane, "w1")
        if job is None:
            return

        self.ledgers.ms += asleep
        self.tick(note=True)
        if anew != "nobody came":
            self.ledgers.do("reap", 100)

        if anew in {"rung", "claimed"}:
            self.make_leasable(lane)
            self.ledgers.do("dispatch", 100)

        if anew == "claimed":
            self.answer(job.id, "w2")

        if released:
            self.give_back(job, stop)
        else:
            self.start(job, None)

    @rule(
        lane=lanes,
        verdict=verdicts(FailureClass.UNKNOWN),
        worker_lost=rarely,
        pause=st.sampled_from([1, 21_000, 1_000_000]),
    )
    def leave_in_doubt(self, lane: str, verdict: Verdict, pause: int, *, worker_lost: bool) -> None:
        """A request of which nobody knows what became of it."""
        job = self.fetch(lane, "w1")
        begun = self.start(job, None) if job else None
        if job is None or begun is None:
            return
        if not worker_lost:
            self.settle_attempt(job, begun, verdict)
        self.pass_time(LEASE_MS if worker_lost else pause)

    @rule(
        lane=lanes,
        then=st.sampled_from(
            ["waits", "waits", "fetched", "fetched", "scheduled", "sent", "sent", "sent"]
        ),
        end=st.sampled_from(
            ["cancelled", "released", "too late", "killed", "news", "news", "news"]
        ),
        news=st.one_of(verdicts(), verdicts(FailureClass.TRANSIENT)),
        answer=verdicts(),
        stop=stops(),
    )
    def go_on_in_doubt(
        self, lane: str, then: str, end: str, news: Verdict, answer: Verdict, stop: dict[str, Any]
    ) -> None:
        """A request of which nobody knows what became is sent once more.

        With it happens whatever can happen to that.
        """
        self.send(self.name(), None, lane, State.READY, 0, 86400, 0)
        job = self.fetch(lane, "w1")
        begun = self.start(job, None) if job else None
        if job is None or begun is None:
            return

        self.settle_attempt(
            job,
            begun,
            Verdict(FailureClass.UNKNOWN, AttemptOutcome.UNKNOWN, http_status=500, structured=True),
        )
        self.pass_time(21_000)
        again = None if then == "waits" else self.fetch(lane, "w2")
        if then == "scheduled" and again:
            self.give_back(
                again, {"to": State.SCHEDULED, "reason": "later", "wait": 3600.0, "counts": True}
            )
        second = self.start(again, None) if then == "sent" and again else None

        if end == "news":
            self.settle_attempt(job, begun, news)
        elif end == "cancelled":
            self.call("cancel", job.id, "called off by bob")
        elif end == "released" and again:
            self.give_back(again, stop)
        elif end == "killed":
            self.pass_time(LEASE_MS)
            self.fetch(lane, "w1")
            self.pass_time(LEASE_MS)
        elif end == "too late":
            self._let_its_time_pass()

        if again and second:
            self.settle_attempt(again, second, answer)

    @rule(
        lane=lanes,
        meanwhile=st.sampled_from(["waits", "rung", "rung", "sent"]),
        news=st.sampled_from(
            [AttemptOutcome.NOT_SENT, AttemptOutcome.NOT_SENT, AttemptOutcome.REJECTED]
        ),
    )
    def it_had_never_left(self, lane: str, meanwhile: str, news: AttemptOutcome) -> None:
        """It turns out when its job waits again, or has a place anew."""
        job = self.fetch(lane, "w1")
        begun = self.start(job, None) if job else None
        if job is None or begun is None:
            return

        doubt = Verdict(
            FailureClass.UNKNOWN, AttemptOutcome.UNKNOWN, http_status=500, structured=True
        )
        self.settle_attempt(job, begun, doubt)
        self.pass_time(21_000)
        again = None if meanwhile == "waits" else self.fetch(lane, "w2")
        second = self.start(again, None) if again and meanwhile == "sent" else None
        self.settle_attempt(job, begun, Verdict(FailureClass.TRANSIENT, news))
        if again and second:
            self.settle_attempt(again, second, GOOD)

    def _let_its_time_pass(self) -> None:
        self.ledgers.ms += DAY_MS
        self.tick(note=True)
        self.ledgers.do("dispatch", 100)
        self.ledgers.do("reap", 100)
