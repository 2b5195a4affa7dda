"""Rules of the machine that put the pace to the test.

More may leave at once than is allowed, the pacer comes late, and Gmail does not say what becomes of
anything.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from certmail_config.base.ids import ConnectionId
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import Suspension
from certmail_worker.delivery.send_failures import FailureClass, Verdict
from support.machine.actors import WORKERS, Actors
from support.machine.lanes import MAILBOX, ROOMY, Limits

lanes = st.sampled_from(["a", "a", "a", "b", "c", "c", "d"])
workers = st.sampled_from(WORKERS)
picks = st.integers(0, 1000)
rarely = st.sampled_from([False, False, False, True])
GOOD = Verdict(FailureClass.NONE, AttemptOutcome.ACCEPTED)


class Pressure(Actors):
    """Rules of the machine that put the pace to the test."""

    @rule(
        count=st.integers(2, 6),
        of=st.lists(lanes, min_size=1, max_size=4),
        late=st.lists(
            st.sampled_from([0, 300, 500, 1_000, 2_000, 3_000, 5_000]), min_size=1, max_size=4
        ),
        sent=st.sampled_from(["never", "all", "all", "one"]),
    )
    def a_late_pacer(self, count: int, of: list[str], late: list[int], sent: str) -> None:
        """There is much to do, and it does not always come in time."""
        for n in range(count):
            self.send(self.name(), None, of[n % len(of)], State.READY, 0, 2 * 86400, 5)

        for ms in late:
            self.ledgers.ms += ms
            rung = self.ring(100)
            for id_ in {"never": (), "all": rung, "one": rung[:1]}[sent]:
                job = self.answer(id_, "w1")
                begun = self.start(job, None) if job else None
                if job and begun:
                    self.settle_attempt(job, begun, GOOD)

    @rule(
        of=st.permutations(["a", "b", "c"]),
        crowded=st.sampled_from(
            [Limits(project_units=300), Limits(project_units_per_day=100), Limits(per_day=1)]
        ),
        change=st.sampled_from(["project", "mailbox", "limits", "stopped"]),
    )
    def wait_for_what_is_no_more(self, of: list[str], crowded: Limits, change: str) -> None:
        """Lanes that wait for their mailbox or project wait for it no more.

        They get another one, or limits that let them send, or stop.
        """
        for lane in of:
            self.limit(lane, crowded, project="p1")
            self.make_leasable(lane)

        self.ring(100)

        for lane in of[1:]:
            if change == "project":
                self.move(lane)
            elif change == "stopped":
                version = self.ledgers.model.tracks[lane].version
                self.ledgers.do(
                    "suspend_lane",
                    ConnectionId(lane),
                    Suspension("revoked", "Link it again.", version),
                )
            elif change == "mailbox":
                self.limit(lane, crowded, mailbox=f"{MAILBOX[lane]}-new")
            else:
                self.limit(lane, Limits())

        self.ring(100)

    @rule(lane=lanes, takes=st.sampled_from([5_000, 15_000, 25_000]))
    def answers_come_late(self, lane: str, takes: int) -> None:
        """A minute is full before the pace is too fast.

        A request counts until a minute after its answer.
        """
        self.limit(lane, Limits(units=200))
        for _ in range(4):
            job = self.fetch(lane, "w1")
            begun = self.start(job, None) if job else None
            self.ledgers.ms += takes
            if job and begun:
                self.settle_attempt(job, begun, GOOD)

    @rule(
        whole=st.sampled_from([False, False, True]),
        at_google=st.sampled_from([True, True, True, False]),
        worked=st.sampled_from(["nothing", "the second", "one before", "one before", "the probe"]),
    )
    def gmail_is_out_of_order(self, *, whole: bool, at_google: bool, worked: str) -> None:
        """Nobody knows what becomes of the messages of a mailbox.

        Or of those of all mailboxes of a project.
        """
        for lane in (lanes_met := ("a", "c", "d") if whole else ("a",)):
            self.limit(lane, ROOMY, project="p1")
        doubt = Verdict(FailureClass.UNKNOWN, AttemptOutcome.UNKNOWN, at_google=at_google)

        for lane in lanes_met:
            before = self.fetch(lane, "w2") if worked == "one before" else None
            begun = self.start(before, None) if before else None
            for n in range(3):
                self._one(lane, GOOD if worked == "the second" and n == 1 else doubt)
            if before and begun:
                self.settle_attempt(before, begun, GOOD)

        for lane in lanes_met:
            self._one(lane, GOOD if worked == "the probe" else doubt)

    def _one(self, lane: str, verdict: Verdict) -> None:
        job = self.fetch(lane, "w1")
        begun = self.start(job, None) if job else None
        if job and begun:
            self.settle_attempt(job, begun, verdict)
