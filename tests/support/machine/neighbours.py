"""Several deliveries of one mailbox at once: what becomes of one of them concerns the others."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from certmail_config.jobs.states import AttemptOutcome
from certmail_config.ledger import Job
from certmail_worker.delivery.send_failures import FailureClass, Verdict
from support.machine.lanes import ROOMY, Limits
from support.machine.pressure import GOOD, Pressure, lanes
from support.machine.settlements import verdicts

waits = [
    FailureClass.MAILBOX_WAIT,
    FailureClass.MAILBOX_WAIT,
    FailureClass.MAILBOX_CROWDED,
    FailureClass.MAILBOX_CROWDED,
    FailureClass.DAY_FULL,
    FailureClass.PROJECT_WAIT,
    FailureClass.PROJECT_WAIT,
    FailureClass.PROJECT_DAY_FULL,
    FailureClass.UNKNOWN,
    FailureClass.NONE,
]
NEWS = st.sampled_from(waits).flatmap(verdicts)
TOO_FAST = Verdict(FailureClass.MAILBOX_WAIT, AttemptOutcome.REJECTED, wait=900.0)
NEVER_LEFT = Verdict(FailureClass.TRANSIENT, AttemptOutcome.NOT_SENT)
LOWER = [
    Limits(units=100),
    Limits(per_day=1),
    Limits(project_units=100),
    Limits(project_units_per_day=100),
]


class Neighbours(Pressure):
    """Rules of the machine."""

    def claimed_together(self, lane: str) -> list[Job]:
        """Claimed for one lane, and not yet begun."""
        self.limit(lane, ROOMY)
        return [job for worker in ("w1", "w2", "w1") if (job := self.fetch(lane, worker))]

    @rule(lane=lanes, news=st.one_of(st.tuples(NEWS, NEWS), NEWS.map(lambda same: (same, same))))
    def neighbours_have_left_already(self, lane: str, news: tuple[Verdict, Verdict]) -> None:
        """One of them is told to wait while the others are under way.

        The others are told so too, or they are not.
        """
        under_way = [
            (job, begun) for job in self.claimed_together(lane) if (begun := self.start(job, None))
        ]
        for n, (job, begun) in enumerate(under_way):
            self.settle_attempt(job, begun, news[min(n, 1)])
            self.ledgers.ms += 1_000
        self.fetch(lane, "w1")

    @rule(lane=lanes, first=NEWS, after=st.sampled_from([0, 1_000, 7_000, 7_000]))
    def neighbours_want_to_leave(self, lane: str, first: Verdict, after: int) -> None:
        """One of them is told to wait while the others are about to leave.

        They leave now, or when the pause is over.
        """
        for n, job in enumerate(self.claimed_together(lane)):
            begun = self.start(job, None)
            if begun and n == 0:
                self.settle_attempt(job, begun, first)
                self.ledgers.ms += after

    @rule(lane=lanes, lower=st.sampled_from(LOWER))
    def neighbours_find_lower_limits(self, lane: str, lower: Limits) -> None:
        """What was leased under other limits does not leave under these."""
        for job in self.claimed_together(lane):
            self.start(job, None)
            self.limit(lane, lower)

    @rule(
        hours=st.integers(1, 5),
        paused=st.booleans(),
        news=st.sampled_from([GOOD, GOOD, NEVER_LEFT, TOO_FAST]),
    )
    def news_while_the_clock_has_leapt(self, hours: int, news: Verdict, *, paused: bool) -> None:
        """What has left is counted, and pauses go on, by the time that is believed."""
        under_way = [
            (job, begun) for job in self.claimed_together("a") if (begun := self.start(job, None))
        ]
        if paused and len(under_way) > 1:
            self.settle_attempt(*under_way.pop(), verdict=TOO_FAST)

        self.ledgers.ms = self.ledgers.model.noted + hours * 3_600_000
        for job, begun in under_way[:1]:
            self.settle_attempt(job, begun, news)

        self.ledgers.ms -= hours * 3_600_000
        for job, begun in under_way[1:]:
            self.settle_attempt(job, begun, GOOD)
        self.fetch("a", "w1")
