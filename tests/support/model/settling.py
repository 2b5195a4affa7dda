"""What the model makes of the news of a request, in time or however late."""

from __future__ import annotations

from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import Settlement
from support.model.google import Google
from support.model.values import LEASED, Entry, ms


class Settling(Google):
    """Knowing is not fenced, only starting is."""

    def settle(
        self,
        id_: str,
        attempt: int,
        then: Settlement,
        *,
        detail: str,
        clock: float,
    ) -> State | None:
        outcome, to, reason = then.outcome, then.to, then.reason
        at, counts, pause = then.at, then.counts, then.pause
        probe_in, suspension = then.probe_in, then.suspension
        now, _ = self.time(clock)
        entry = self.entries.get(id_)
        if entry is None:
            return None

        said = entry.outcomes.get(attempt)
        better = said is AttemptOutcome.UNKNOWN and outcome is not AttemptOutcome.UNKNOWN
        if said is not None and not better:
            return entry.state

        entry.outcomes[attempt] = outcome
        why, waits = self.why_unwanted(entry)
        if better and outcome is AttemptOutcome.NOT_SENT:
            self._give_back(entry, attempt)
        self.follow_up(entry, attempt, outcome, pause, probe_in, reason, now)
        self.suspend(entry.connection, suspension, now)
        newest = attempt == entry.attempt and entry.state in {State.SENDING, State.UNCERTAIN}
        went_out = outcome is AttemptOutcome.ACCEPTED and entry.state not in {
            State.SENDING,
            State.ACCEPTED,
        }

        if entry.would_be and not entry.unknown and not entry.accepted:
            self.end(entry, State(entry.would_be[0]), reason := entry.would_be[1], now)
        elif newest or went_out:
            if entry.state in LEASED:
                self.free(entry, now, outcome)
            reason = self._follow(entry, to, reason, ms(at), counts=counts, now=now)

        self.emit_job(
            now,
            "settled",
            entry,
            "connection",
            "held",
            attempt=str(attempt),
            outcome=outcome,
            reason=reason,
            detail=detail,
        )
        if outcome is AttemptOutcome.ACCEPTED and why and not waits:
            self.emit(
                now,
                "overtaken",
                job=id_,
                tenant=entry.tenant,
                connection=entry.connection,
                attempt=str(attempt),
                reason=f"{why}; its request was under way",
            )

        return entry.state

    def _give_back(self, entry: Entry, attempt: int) -> None:
        """What was taken for unknown never left: its places are free after all."""
        assert entry.mailbox is not None
        assert entry.project is not None
        for meter in self.meters_of(entry.mailbox, entry.project):
            meter.window.pop(f"{entry.id}:{attempt}", None)
        # Leased anew, it has another place.
        if attempt == entry.attempt and entry.state not in LEASED:
            self.uncount_day(entry)

    def _follow(
        self, entry: Entry, to: State, reason: str, at: int | None, *, counts: bool, now: int
    ) -> str:
        """What follows news that decide; gives the reason that is on record for it."""
        entry.failures += counts
        again = to in {State.READY, State.SCHEDULED}

        if entry.accepted and to is not State.ACCEPTED:
            self.end(entry, State.ACCEPTED, reason := "an earlier request was accepted", now)
        elif again and entry.called_off is not None and entry.connection in self.tracks:
            assert entry.called_off_as is not None
            self.end(entry, entry.called_off_as, reason := entry.called_off, now)
        elif again and entry.called_off is None and not entry.unfinished:
            reason = "its time passed before it was known that it had not gone out"
            self.end(entry, State.EXPIRED, reason, now)
        elif to is State.UNCERTAIN:
            self.doubt(entry, reason, None if entry.called_off is not None else at, now)
        elif again:
            entry.reason = reason
            reason = self.wait(entry, now, until=at if to is State.SCHEDULED else None) or reason
        else:
            self.end(entry, to, reason, now)

        return reason
