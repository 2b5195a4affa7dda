"""Servers that were restored from an older copy.

What waits in them could have left, and somebody says whether it had.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from certmail_config.base.ids import JobId
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import Settlement
from support.machine.pressure import lanes
from support.machine.removals import Removals

WAITING = frozenset({State.READY, State.SCHEDULED})


class Restores(Removals):
    """A repair holds, and a person settles, or whoever lived on."""

    @rule(
        lane=lanes,
        state=st.sampled_from(sorted(WAITING)),
        since=st.sampled_from([-60.0, 0.0, 5.0]),
        found=st.sampled_from(["arrived", "send-again", "send-again", "close", "nothing"]),
        called_off=st.sampled_from([False, False, False, True]),
    )
    def restore(
        self, lane: str, state: State, since: float, found: str, *, called_off: bool
    ) -> None:
        """A reminder from before the copy waits in it, as if it had never been leased."""
        job = JobId(self.name())
        self.send(job, None, lane, state, 20, 86_400, 5)
        if job not in self.ledgers.model.entries:
            return

        self.tick(note=True)
        self.ledgers.uncheck_run()
        given = {
            "to": State.UNCERTAIN,
            "reason": "it could have left",
            "could_have_left": self.ledgers.now + since,
        }
        self.ledgers.do("restore", job, **given)
        self.ledgers.check_run()
        if called_off:
            self.call("cancel", job, "called off by bob")
        self._say(job, found)
        self.ring(2)

    def _say(self, job: JobId, found: str) -> None:
        arrived = found == "arrived"

        if found == "close":
            self.call("close", job, "closed by ann")
        elif found != "nothing":
            outcome = AttemptOutcome.ACCEPTED if arrived else AttemptOutcome.NOT_SENT
            to = State.ACCEPTED if arrived else State.READY
            attempt = self.ledgers.model.entries[job].attempt
            then = Settlement(outcome, to, f"{found} by ann")
            self.call("settle", job, attempt, then=then, detail="{}")
