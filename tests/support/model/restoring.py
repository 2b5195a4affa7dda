"""What the model makes of a job that waits in a restored server, and could have left before."""

from __future__ import annotations

from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger.upkeep import Restored
from support.model.google import Google
from support.model.values import ms


class Restoring(Google):
    """Of `restore` what holds a job that was never leased.

    tests/config/ledger/test_upkeep.py has the rest.
    """

    def restore(
        self, id_: str, *, to: State, reason: str, could_have_left: float, clock: float
    ) -> Restored:
        now, _ = self.time(clock)
        assert not self.checked
        assert to is State.UNCERTAIN
        entry = self.entries[id_]
        presumed, at = entry.attempt, max(ms(could_have_left), entry.enqueued_at)

        while True:
            presumed += 1
            entry.begun.setdefault(presumed, at)
            if presumed not in entry.outcomes:
                break

        entry.attempt, entry.outcomes[presumed] = presumed, AttemptOutcome.UNKNOWN
        track = self.tracks.get(entry.connection)
        if track is not None and entry.mailbox is None:
            entry.mailbox, entry.project = track.mailbox, track.project
        if not (entry.state is State.UNCERTAIN and entry.held):
            self.held_back[entry.connection] += 1
        self.doubt(entry, reason, None, now)
        words = {"reason": reason, "begun_at": str(at), "attempt": str(presumed)}
        self.emit_job(now, "restored", entry, "connection", "held", **words)

        return Restored(entry.state)
