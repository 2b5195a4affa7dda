"""Removed connections, and what is said, or due, of their uncertain reminders afterwards."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from certmail_config.base.ids import ConnectionId, JobId
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import Job, Settlement
from certmail_worker.delivery.send_failures import FailureClass, Verdict
from support.machine.deliveries import Deliveries
from support.machine.lanes import Limits
from support.machine.pressure import lanes
from support.machine.settlements import verdicts

HERE = frozenset({State.READY, State.SCHEDULED, State.DISPATCHED})
AGAIN = Verdict(FailureClass.UNKNOWN, AttemptOutcome.UNKNOWN, http_status=500, structured=True)
"""A rule would send it once more."""


class Removals(Deliveries):
    """A lane is there again before others do anything: set up anew, under the same name."""

    @rule(lane=lanes)
    def remove_what_is_in_use(self, lane: str) -> None:
        """Nothing is changed then."""
        if self.fetch(lane, "w1"):
            assert self.ledgers.do("remove_lane", ConnectionId(lane)).answer > 0

    @rule(
        lane=lanes,
        doubts=st.sampled_from([[AGAIN], [AGAIN], [AGAIN, AGAIN]]),
        called_off=st.booleans(),
        after=st.sampled_from(["news", "news", "it is due", "its time passes", "cancelled"]),
        news=st.one_of(
            verdicts(), verdicts(FailureClass.TRANSIENT), verdicts(FailureClass.MAILBOX_WAIT)
        ),
    )
    def remove(
        self, lane: str, doubts: list[Verdict], after: str, news: Verdict, *, called_off: bool
    ) -> None:
        """What waits is called off, what is under way ends, and then the lane goes."""
        attempts = [self._doubt(lane, doubt) for doubt in doubts]
        self._empty(lane, called_off=called_off)
        assert self.ledgers.do("remove_lane", ConnectionId(lane)).answer == 0
        assert self.ledgers.do("remove_lane", ConnectionId(lane)).answer == 0
        self.send(self.name(), None, lane, State.READY, 0, 60, 5)
        self.ring(100)

        for job, attempt in filter(None, attempts):
            if after == "news":
                self.settle_attempt(job, attempt, news)
            elif after == "cancelled":
                self.call("cancel", job.id, "called off by bob")

        if after == "it is due":
            self.pass_time(21_000)
        elif after == "its time passes":
            self.pass_time(100 * 86_400_000)

        self.limit(lane, Limits())
        self.ledgers.do("open_lane", ConnectionId(lane), 1)

    def _doubt(self, lane: str, verdict: Verdict) -> tuple[Job, int] | None:
        """A request of which nobody knows what became of it."""
        job = self.fetch(lane, "w1")
        begun = self.start(job, None) if job else None
        if job is None or begun is None:
            return None
        self.settle_attempt(job, begun, verdict)
        return job, begun

    def _empty(self, lane: str, *, called_off: bool) -> None:
        """Leave nothing of the lane waiting or under way.

        With `called_off`, what is uncertain is not sent again either.
        """
        for entry in list(self.ledgers.model.entries.values()):
            if entry.connection != lane:
                continue
            if entry.state in HERE or (called_off and entry.state is State.UNCERTAIN):
                self.ledgers.do("cancel", JobId(entry.id), "its connection is removed")
            elif entry.state is State.SENDING:
                self._settle(entry.id, entry.attempt)

    def _settle(self, id_: str, attempt: int) -> None:
        then = Settlement(AttemptOutcome.ACCEPTED, State.ACCEPTED, "")
        self.ledgers.do("settle", JobId(id_), attempt, then=then, detail="{}")
