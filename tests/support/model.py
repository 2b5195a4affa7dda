"""A simple model of the ledger: what each transition should do, without Redis and without an index.

Its methods take what the functions of the same name in `certmail_config.ledger` take, and give what their calls give.
Where a job is in an index, and with which score, follows from the job itself (`Entry`). One thing it does not decide:
which lanes the pacer looks at now. It is told (`visited`), and `invariants` judge whether a lane could be forgotten.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from certmail_config.ids import ConnectionId, JobId
from certmail_config.ledger import (
    Begun,
    Cancellation,
    CancelledPage,
    Claimed,
    Enqueued,
    Job,
    RefusedBy,
    Suspension,
)
from certmail_config.ledger import transitions as real
from certmail_config.states import AttemptOutcome, State
from support.model_pacing import ms
from support.model_reaping import Reaping
from support.model_values import MINUTE, Entry, Mailbox, Track

TO_BE_CALLED_OFF = frozenset({State.SCHEDULED, State.READY, State.DISPATCHED})


class Model(Reaping):
    """Jobs, lanes, mailboxes and workers; `events` is what the stream should hold."""

    def __init__(self) -> None:
        self.noted = 0
        self.checked = True
        self.entries: dict[str, Entry] = {}
        self.bodies: dict[str, bytes] = {}
        self.keys: dict[str, tuple[str, str]] = {}
        self.tracks: dict[str, Track] = {}
        self.mailboxes: defaultdict[str, Mailbox] = defaultdict(Mailbox)
        self.workers: dict[str, tuple[int, int]] = {}
        self.visited: Sequence[str] = ()
        self.events: list[dict[str, str]] = []

    def enqueue(self, *, clock: float, **given: Any) -> Enqueued:
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
        )
        if entry.state is State.SUPPRESSED:
            entry.reason, entry.finished_at = given["reason"], now
        elif entry.state is State.SCHEDULED:
            entry.at = ms(given["send_at"])
        words = ("tenant", "connection", "kind", "campaign", "state", "reason", "dedupe", "fingerprint")
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
                self.wait(entry)
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
                strikes=self.mailbox_of(entry).strikes,
                enqueued_at=entry.enqueued_at / 1000,
                expires_at=entry.expires_at / 1000,
                body=self.bodies[id_],
            )
        )

    def begin(
        self, job: Job, *, lease_seconds: float, not_after: float | None = None, clock: float
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
        if entry.expires_at <= now:
            self.expire(entry, now)
            return RefusedBy("expired")
        if why := self._not_now(entry, ms(not_after), now):
            self.wait(entry)
            return RefusedBy(why)
        entry.attempt += 1
        entry.state, entry.at = State.SENDING, now + ms(lease_seconds)
        entry.begun[entry.attempt], entry.begun_by = now, (job.fence, job.nonce)
        self.mailbox_of(entry).begins[f"{entry.id}:{entry.attempt}"] = now
        self.tell(now, "begun", entry, "connection", "attempt", worker=entry.worker or "")
        return Begun(entry.attempt, now / 1000)

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
        track, mailbox = self.tracks[entry.connection], self.mailbox_of(entry)
        if not_after is not None and not_after <= now:
            return "not_after"
        if track.state != "open":
            return "suspended"
        if mailbox.cooling > now:
            return "cooling"
        if mailbox.begun_within_a_minute(now) >= track.begins_per_minute:
            mailbox.next = min(mailbox.begins.values()) + MINUTE
            return "minute_full"
        return ""

    def settle(
        self,
        id_: str,
        attempt: int,
        *,
        outcome: AttemptOutcome,
        detail: str,
        to: State,
        reason: str,
        at: float | None = None,
        counts: bool = False,
        cool_until: float | None = None,
        named: bool = False,
        suspension: Suspension | None = None,
        clock: float,
    ) -> State | None:
        now, _ = self.time(clock)
        entry = self.entries.get(id_)
        if entry is None:
            return None
        said = entry.outcomes.get(attempt)
        better = said is AttemptOutcome.UNKNOWN and outcome is not AttemptOutcome.UNKNOWN
        if said is not None and not better:
            return entry.state
        entry.outcomes[attempt] = outcome
        if entry.mailbox is not None:
            mailbox = self.mailbox_of(entry)
            if outcome is AttemptOutcome.NOT_SENT:
                mailbox.begins.pop(f"{id_}:{attempt}", None)
            if outcome is AttemptOutcome.ACCEPTED:
                mailbox.works(now)
            if cool_until is not None:
                begun_at = entry.begun.get(attempt, entry.begun.get(entry.attempt, 0))
                mailbox.cool(ms(cool_until), named=named, begun_at=begun_at, reason=reason, now=now)
        self.suspend(entry.connection, suspension, now)
        newest = attempt == entry.attempt and entry.state in {State.SENDING, State.UNCERTAIN}
        went_out = outcome is AttemptOutcome.ACCEPTED and entry.state not in {State.SENDING, State.ACCEPTED}
        if entry.would_be and not entry.unknown and not entry.accepted:
            self.end(entry, State(entry.would_be[0]), reason := entry.would_be[1], now)
        elif newest or went_out:
            reason = self._follow(entry, to, reason, ms(at), counts=counts, now=now)
        self.tell(
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
        return entry.state

    def _follow(self, entry: Entry, to: State, reason: str, at: int | None, *, counts: bool, now: int) -> str:
        """What follows news that decide; gives the reason that is on record for it."""
        entry.failures += counts
        again = to in {State.READY, State.SCHEDULED}
        if entry.accepted and to is not State.ACCEPTED:
            self.end(entry, State.ACCEPTED, reason := "an earlier request was accepted", now)
        elif again and entry.called_off is not None:
            self.end(entry, State.CANCELLED, reason := entry.called_off, now)
        elif again and not entry.unfinished:
            reason = "its time passed before it was known that it had not gone out"
            self.end(entry, State.EXPIRED, reason, now)
        elif to is State.UNCERTAIN:
            self.doubt(entry, reason, None if entry.called_off is not None else at, now)
        elif again:
            entry.reason = reason
            self.wait(entry, until=at if to is State.SCHEDULED else None)
        else:
            self.end(entry, to, reason, now)
        return reason

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
        entry.failures += counts
        if to in {State.READY, State.SCHEDULED}:
            entry.reason = reason
            self.wait(entry, until=ms(at) if to is State.SCHEDULED else None)
        else:
            self.end(entry, to, reason, now)
        self.tell(now, "released", entry, "connection", "held", reason=reason)
        return entry.state

    def cancel(self, id_: str, reason: str, *, clock: float) -> Cancellation:
        now, _ = self.time(clock)
        entry = self.entries.get(id_)
        if entry is None:
            return Cancellation.UNKNOWN
        if entry.state is State.CANCELLED:
            return Cancellation.CANCELLED
        if not entry.unfinished and entry.state is not State.UNCERTAIN:
            return Cancellation.ALREADY_FINAL
        entry.called_off = entry.called_off or reason
        if entry.state is State.SENDING:
            return Cancellation.ALREADY_SENDING
        if entry.state in TO_BE_CALLED_OFF:
            self.end(entry, State.CANCELLED, reason, now)
            self.tell(now, "cancelled", entry, "held", reason=reason)
        elif not entry.held:
            self.doubt(entry, entry.reason or "", None, now)
            self.tell(now, "held", entry, "held", reason=reason)
        return Cancellation(entry.state)

    def cancel_matching(
        self, cursor: int, *, tenant: str, campaign: str = "", connection: str = "", reason: str, clock: float
    ) -> CancelledPage:
        said = [
            self.cancel(entry.id, reason, clock=clock)
            for entry in self.by_due()
            if entry.tenant == tenant
            and campaign in {"", entry.campaign}
            and connection in {"", entry.connection}
        ]
        counted = (Cancellation.CANCELLED, Cancellation.ALREADY_SENDING, Cancellation.UNCERTAIN)
        return CancelledPage(0, *(said.count(word) for word in counted))
