"""What the model lets a worker do with a job that it was rung for.

It claims the job, begins its request, or gives it back.
"""

from __future__ import annotations

from certmail_config.base.ids import ConnectionId, JobId
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import Begun, Claimed, Job, RefusedBy, Suspension
from certmail_config.ledger import delivery as real
from support.model.meters import sends
from support.model.values import Entry, ms
from support.model.wanting import OUTSIDE_HOURS, Wanting


class Working(Wanting):
    """Only the newest claim of a job is good for anything."""

    def claim(
        self, id_: str, *, worker: str, nonce: str, lease_seconds: float, clock: float
    ) -> Claimed | RefusedBy:
        now, leapt = self.time(clock)
        entry = self.entries.get(id_)
        if leapt or not self.checked:
            return RefusedBy("clock_leapt" if leapt else "unchecked")
        if entry is None:
            return RefusedBy("unknown")
        if entry.state is not State.DISPATCHED:
            return RefusedBy(entry.state)
        if entry.nonce not in {None, nonce}:
            return RefusedBy("claimed")

        if entry.nonce is None:
            assert entry.dispatched_at is not None
            if now - entry.dispatched_at > ms(real.DOORBELL_SECONDS):
                self.free(entry, now)
                self.wait(entry, now)
                return RefusedBy("stale")
            entry.fence += 1
            entry.nonce, entry.worker, entry.at = nonce, worker, now + ms(lease_seconds)

        return Claimed(
            Job(
                id=JobId(id_),
                tenant=entry.tenant,
                connection=ConnectionId(entry.connection),
                fence=entry.fence,
                nonce=nonce,
                failures=entry.failures,
                refreshed=(entry.reason or "").startswith("token_expired"),
                resent=entry.possible_duplicate,
                strikes=self.mailboxes[entry.mailbox or ""].strikes,
                project_strikes=self.projects[entry.project or ""].strikes,
                enqueued_at=entry.enqueued_at / 1000,
                expires_at=entry.expires_at / 1000,
                body=self.bodies[id_],
                campaign=entry.campaign,
            )
        )

    def begin(
        self,
        job: Job,
        *,
        lease_seconds: float,
        not_after: float | None = None,
        resend_after: float | None = None,
        clock: float,
    ) -> Begun | RefusedBy:
        now, leapt = self.time(clock)
        entry = self.entries.get(job.id)
        if leapt or entry is None:
            return RefusedBy("clock_leapt" if leapt else "unknown")
        if answered := self._begun_before(entry, job):
            return answered
        if not self.checked:
            return RefusedBy("unchecked")
        if entry.fence != job.fence:
            return RefusedBy("fenced")
        if entry.state is not State.DISPATCHED:
            return RefusedBy(entry.state)

        assert entry.at is not None
        if entry.nonce != job.nonce:  # leased anew
            return RefusedBy("fenced")
        if entry.at <= now:
            return RefusedBy("lease_ended")

        if over := self._let_go(entry, now):
            return RefusedBy(over)

        if why := self._not_now(entry, ms(not_after), now):
            self.free(entry, now)
            self.wait(entry, now)
            return RefusedBy(why)

        entry.attempt += 1
        entry.state, entry.at = State.SENDING, now + ms(lease_seconds)
        entry.begun[entry.attempt], entry.begun_by = now, (job.fence, job.nonce)
        entry.resend = ms(resend_after)
        self.emit_job(now, "begun", entry, "connection", "attempt", worker=entry.worker or "")

        return Begun(entry.attempt, now / 1000)

    def _let_go(self, entry: Entry, now: int) -> str:
        """End what has no time left, or is not wanted any more, or let it wait.

        Gives why; empty where it may go on.
        """
        if entry.expires_at <= now:
            self.free(entry, now)
            self.expire(entry, now)
            return "expired"

        why, waits = self.why_unwanted(entry)
        if why is None and self.outside_hours(entry, now):
            why = OUTSIDE_HOURS
        if why is None:
            return ""

        self.free(entry, now)
        if waits:
            entry.reason = why
            why = self.wait(entry, now, until=now + 300_000) or why
        else:
            self.end(entry, State.SUPPRESSED, why, now)
        self.emit_job(now, "released", entry, "connection", "held", reason=why)
        return "unwanted"

    @staticmethod
    def _begun_before(entry: Entry, job: Job) -> Begun | RefusedBy | None:
        """What to answer where this very claim has begun; too late for its lease, it never left."""
        if entry.begun_by != (job.fence, job.nonce):
            return None
        if entry.state is State.SENDING:
            return Begun(entry.attempt, entry.begun[entry.attempt] / 1000)
        if entry.outcomes.get(entry.attempt) is AttemptOutcome.UNKNOWN:
            return RefusedBy(entry.state, entry.attempt)
        return None

    def _not_now(self, entry: Entry, not_after: int | None, now: int) -> str:
        """Why its request may not leave now; empty if it may."""
        assert entry.mailbox is not None
        assert entry.project is not None
        track = self.tracks[entry.connection]
        meter, whole = self.meters_of(entry.mailbox, entry.project)
        day, whole_day = self.days_of(entry.mailbox, entry.project)

        if not_after is not None and not_after <= now:
            return "not_after"
        if track.state != "open":
            return "suspended"
        if {"*", track.tenant} & self.paused:
            return "paused"

        flying = len(self.flying(entry.mailbox)), len(whole.leased)
        for gate, leased in zip(self.gates_of(entry.mailbox, entry.project), flying, strict=True):
            if gate.cooling > now:
                return "cooling"
            if gate.probe and leased > 1:  # one goes first; this one was leased before the pause
                return "probing"

        # The pacer has counted it in; limits may have been lowered since.
        if meter.used(now) > meter.limit(track.units_per_minute, now):
            return "minute_full"
        if whole.used(now) > whole.limit(track.project_units_per_minute, now):
            return "project_full"
        if day.used(now) > track.per_day or whole_day.used(now) > sends(
            track.project_units_per_day
        ):
            return "day_full"

        return ""

    def release(
        self,
        job: Job,
        *,
        to: State,
        reason: str,
        at: float | None = None,
        counts: bool = False,
        suspension: Suspension | None = None,
        clock: float,
    ) -> State | RefusedBy:
        now, _ = self.time(clock)
        entry = self.entries.get(job.id)
        if entry is None:
            return RefusedBy("unknown")

        self.suspend(entry.connection, suspension, now)
        if entry.fence != job.fence:
            return RefusedBy("fenced")
        if entry.state is not State.DISPATCHED or entry.nonce != job.nonce:
            return entry.state

        self.free(entry, now)
        entry.failures += counts

        if to in {State.READY, State.SCHEDULED}:
            entry.reason = reason
            self.wait(entry, now, until=ms(at) if to is State.SCHEDULED else None)
        else:
            self.end(entry, to, reason, now)

        self.emit_job(now, "released", entry, "connection", "held", reason=reason)
        return entry.state
