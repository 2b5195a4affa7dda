"""The model's reaper: what becomes of the jobs whose time has come."""

from __future__ import annotations

from certmail_config.base.ids import JobId
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import Reaped, Stop
from certmail_config.ledger import ending as real
from support.model.moves import Moves
from support.model.values import Entry


class Reaping(Moves):
    """It looks at every job that is due, in that order."""

    def reap(self, maximum: int, *, clock: float) -> Reaped:
        now, leapt = self.time(clock)
        if leapt or not self.checked:
            return Reaped(0, (), Stop.CLOCK_LEAPT if leapt else Stop.UNCHECKED)
        timely = [entry for entry in self.by_due() if (entry.due or 0) <= now][:maximum]
        moved = []
        for entry in timely:
            before = entry.state
            self._look_at(entry, now)
            moved.append((JobId(entry.id), before, entry.state))
        return Reaped(len(timely), tuple(moved))

    def _look_at(self, entry: Entry, now: int) -> None:
        match entry.state:
            case State.DISPATCHED:
                self._worker_stopped(entry, now)
            case State.SENDING:
                worker = entry.worker or ""
                self.free(entry, now, AttemptOutcome.UNKNOWN)
                entry.outcomes[entry.attempt] = AttemptOutcome.UNKNOWN
                reason = "worker_lost: its worker stopped while the request was under way; whether Gmail took the message is unknown"

                if entry.accepted:
                    self.end(entry, State.ACCEPTED, "an earlier request was accepted", now)
                else:
                    again = (
                        None
                        if entry.called_off is not None or entry.resend is None
                        else now + entry.resend
                    )
                    self.doubt(entry, reason, again, now)

                self.emit_job(
                    now, "reaped", entry, "connection", "attempt", "reason", "held", worker=worker
                )
            case State.UNCERTAIN if entry.held:
                entry.finished_at, entry.at, entry.look_at = now, None, None
                self.emit_job(now, "closed", entry, "reason", "held")
            case State.UNCERTAIN if entry.expires_at <= now:
                self.doubt(
                    entry,
                    f"{entry.reason}; its time passed before it could be sent again",
                    None,
                    now,
                )
                self.emit_job(now, "held", entry, "reason", "held")
            case State.UNCERTAIN:
                if self.wait(entry, now):
                    return

                entry.possible_duplicate = True
                reason = "the rule for unknown outcomes sends it once more"
                self.emit_job(now, "resent", entry, possible_duplicate="1", reason=reason)
            case _ if entry.expires_at <= now:
                self.expire(entry, now)
            case _:
                self.wait(entry, now)
                self.emit_job(now, "due", entry)

    def _worker_stopped(self, entry: Entry, now: int) -> None:
        worker = entry.worker
        self.free(entry, now)
        if worker is None:  # a lost doorbell says nothing about the job
            self.wait(entry, now)
            return None

        entry.victims |= {worker}

        if len(entry.victims) >= real.POISON_REAPS:
            reason = f"it stopped {len(entry.victims)} workers before it could be sent"
            self.end(entry, State.FAILED, reason, now)
            return self.emit_job(now, "reaped", entry, "held", reason=reason)

        self.wait(entry, now)
        return self.emit_job(
            now, "reaped", entry, worker=worker, reason="its worker stopped before sending it"
        )
