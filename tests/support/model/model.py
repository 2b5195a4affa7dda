"""A simple model of the ledger: what each transition should do, without Redis.

Its methods take what the functions of the same name in `certmail_config.ledger` take, and give what
their calls give. Where a job is in an index, and with which score, follows from the job itself
(`Entry`); who is visited when is kept as the ledger keeps it (`LedgerState`), since the order in
which lanes send is part of what is promised.

Start reading here, then in `ledger_state.py`, on which the parts of the model are built.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from certmail_config.base.ids import JobId
from certmail_config.jobs.states import FINAL, State
from certmail_config.ledger import Cancellation, CancelledPage, Enqueued
from support.model.pacing import Pacing
from support.model.reaping import Reaping
from support.model.restoring import Restoring
from support.model.settling import Settling
from support.model.values import DAY, Entry, ms
from support.model.working import Working

TO_BE_CALLED_OFF = frozenset({State.SCHEDULED, State.READY, State.DISPATCHED})


class Model(Pacing, Working, Settling, Reaping, Restoring):
    """The transitions of a job's life, from its enqueueing to its end."""

    def enqueue(self, *, clock: float, max_per_tenant: int = 0, **given: Any) -> Enqueued:
        now, _ = self.time(clock)
        id_, dedupe = given["id"], given["dedupe"]
        if dedupe in self.keys:
            other, fingerprint = self.keys[dedupe]
            if fingerprint != given["fingerprint"]:
                return Enqueued("key_reused", JobId(other), None)
            return Enqueued(
                "enqueued" if other == id_ else "duplicate", JobId(other), self.entries[other].state
            )

        if given["connection"] not in self.tracks:
            return Enqueued("unknown_connection", id_, None)

        days, today = self.days_that_count(given["tenant"], ms(given["keep_seconds"]), now)
        if max_per_tenant and sum(days.values()) >= max_per_tenant:
            return Enqueued("tenant_full", id_, None)

        days[today] += 1
        self.keys[dedupe] = (id_, given["fingerprint"])
        self.bodies[id_] = given["body"]
        entry = self.entries[id_] = Entry(
            id=id_,
            tenant=given["tenant"],
            connection=given["connection"],
            campaign=given["campaign"],
            dedupe=dedupe,
            priority=given["priority"],
            enqueued_at=now,
            expires_at=ms(given["expires_at"]),
            keep=ms(given["keep_seconds"]),
            state=given["state"],
            wants=given["wants"],
        )

        if entry.state is State.SUPPRESSED:
            entry.reason, entry.finished_at, entry.wants = given["reason"], now, ""
        elif entry.state is State.SCHEDULED:
            entry.at = ms(given["send_at"])
        else:
            self.wake_lane(entry.connection, now)

        words = (
            "tenant",
            "connection",
            "kind",
            "campaign",
            "state",
            "reason",
            "dedupe",
            "fingerprint",
        )
        self.emit(
            now,
            "enqueued",
            job=id_,
            **{word: given[word] for word in words},
            send_at="" if given["send_at"] is None else str(ms(given["send_at"])),
            expires_at=str(entry.expires_at),
            priority=str(entry.priority),
            body=given["body"].decode(),
        )

        return Enqueued("enqueued", id_, entry.state)

    def days_that_count(self, tenant: str, keep: int, now: int) -> tuple[dict[str, int], str]:
        """What a tenant has, by the day on which it was taken in, and which day it is."""
        day = self.believed(now) // DAY
        if str(day) not in self.taken[tenant]:
            oldest = day - math.ceil(keep / DAY)
            self.taken[tenant] = {d: n for d, n in self.taken[tenant].items() if int(d) >= oldest}
            self.taken[tenant][str(day)] = 0
        return self.taken[tenant], str(day)

    def cancel(self, id_: str, reason: str, *, clock: float) -> Cancellation:
        entry = self.entries.get(id_)
        if entry is None:
            return Cancellation.UNKNOWN
        if entry.state is State.CANCELLED:
            return Cancellation.CANCELLED
        if not entry.unfinished and entry.state is not State.UNCERTAIN:
            return Cancellation.ALREADY_FINAL
        if self._call_off(entry, reason, State.CANCELLED, clock) is State.SENDING:
            return Cancellation.ALREADY_SENDING
        return Cancellation(entry.state)

    def withdraw(self, id_: str, reason: str, *, clock: float) -> State | None:
        entry = self.entries.get(id_)
        if entry is None or (not entry.unfinished and entry.state is not State.UNCERTAIN):
            return entry.state if entry else None
        return self._call_off(entry, reason, State.SUPPRESSED, clock)

    def forget(self, jobs: Sequence[str], _keep_seconds: float) -> int:
        """Those that have ended count no more for their tenant; when Redis forgets them is its own."""
        ended = [self.entries[id_] for id_ in jobs if id_ in self.entries]
        ended = [entry for entry in ended if entry.state in FINAL]
        for entry in ended:
            days, day = self.taken.get(entry.tenant, {}), str(entry.enqueued_at // DAY)
            if not entry.uncounted and days.get(day, 0) > 0:
                days[day] -= 1
            entry.uncounted = True
            entry.dispatched_at = entry.begun_by = entry.resend = None
        return len(ended)

    def _call_off(self, entry: Entry, reason: str, to: State, clock: float) -> State:
        """End an unfinished job, as far as that is possible; gives the state that it is in then."""
        now, _ = self.time(clock)
        if entry.called_off is None:
            entry.called_off, entry.called_off_as = reason, to
        if entry.state in TO_BE_CALLED_OFF:
            if entry.state is State.DISPATCHED:
                self.free(entry, now)
            self.end(entry, to, reason, now)
            kind = "cancelled" if to is State.CANCELLED else "withdrawn"
            self.emit_job(now, kind, entry, "held", reason=reason)
        elif entry.state is State.UNCERTAIN and not entry.held:
            self.doubt(entry, entry.reason or "", None, now)
            self.emit_job(now, "held", entry, "held", reason=reason)

        return entry.state

    def close(self, id_: str, reason: str, *, clock: float) -> bool:
        now, _ = self.time(clock)
        entry = self.entries.get(id_)
        if entry is None or entry.state is not State.UNCERTAIN:
            return False
        if entry.unfinished:
            entry.finished_at, entry.at, entry.look_at = now, None, None
            entry.reason, entry.held = reason, True
            self.emit_job(now, "closed", entry, "held", reason=reason)
        return True

    def cancel_matching(
        self,
        cursor: int,
        *,
        tenant: str,
        campaign: str = "",
        connection: str = "",
        reason: str,
        clock: float,
    ) -> CancelledPage:
        asked = [
            self.cancel(entry.id, reason, clock=clock)
            for entry in self.by_due()
            if entry.tenant == tenant
            and campaign in {"", entry.campaign}
            and connection in {"", entry.connection}
        ]

        counted = (Cancellation.CANCELLED, Cancellation.ALREADY_SENDING, Cancellation.UNCERTAIN)
        return CancelledPage(0, *(asked.count(word) for word in counted))
