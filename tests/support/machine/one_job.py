"""One job under a clock that tests move, brought to where something is to happen to it."""

from __future__ import annotations

from typing import Final

from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.base.ids import JobId
from certmail_config.jobs.states import FINAL, AttemptOutcome, State
from certmail_config.ledger import (
    Claimed,
    Job,
    RefusedBy,
    begin,
    cancel,
    claim,
    release,
    run,
    withdraw,
)
from certmail_config.ledger.delivery import DOORBELL_SECONDS
from certmail_config.ledger.ending import POISON_REAPS
from support.machine.clocked_ledger import LEASE, ClockedLedger

_S, _O = State, AttemptOutcome
CLOSED: Final = FINAL - {State.ACCEPTED}
LIFE: Final = 86_400.0
"""From enqueueing until its time has passed; seconds."""


class OneJob:
    """A ledger with one job `j`.

    `doubted` says whether what became of its first request is unknown.
    """

    def __init__(self, redis: Redis, *, doubted: bool) -> None:
        self.ledger, self.doubted = ClockedLedger(redis), doubted
        self.ledger.lane("a", in_flight=100)
        self.attempt = 1
        self.job: Job | None = None

    def reach(self, state: State | None) -> None:
        """Bring the job into a state."""
        if state is None:
            return

        if state in CLOSED:
            self.enqueue()
            self.lease()
            self.cancel() if state is _S.CANCELLED else self.release(state)
            return

        if self.doubted:
            self.enqueue()
            self._doubt()
            self.attempt = 2
        elif state is not _S.SCHEDULED:
            self.enqueue()

        if state is _S.SCHEDULED:
            self._schedule()
        if state in {_S.DISPATCHED, _S.SENDING, _S.UNCERTAIN}:
            self.lease()
        if state in {_S.SENDING, _S.UNCERTAIN}:
            self.begin()
        if state is _S.UNCERTAIN:
            self.settle(_O.UNKNOWN, _S.UNCERTAIN, at=self.ledger.now + 10)

    def _schedule(self) -> None:
        if self.doubted:
            self.lease()
            self.release(_S.SCHEDULED)
        else:
            self.enqueue(_S.SCHEDULED)

    def enqueue(self, state: State = _S.READY) -> None:
        send_at = self.ledger.now + 10 if state is _S.SCHEDULED else None
        self.ledger.enqueue(
            "j",
            state=state,
            send_at=send_at,
            reason="",
            expires_at=self.ledger.now + LIFE,
            wants=" a:b",
        )

    def lease(self, worker: str = "w") -> Job:
        self.ledger.now += 60
        assert self.ledger.dispatch().jobs == ("j",)
        self.job = self.ledger.claim("j", worker, nonce=f"{worker}{self.ledger.now}")
        return self.job

    def begin(self) -> None:
        assert self.job is not None
        self.ledger.begin(self.job)

    def _doubt(self) -> None:
        """Send it without learning what became of it; a rule sends it again."""
        self.lease()
        self.begin()
        self.settle(_O.UNKNOWN, _S.UNCERTAIN, at=self.ledger.now + 10)
        self.ledger.now += 11
        self.ledger.reap()

    def settle(self, outcome: AttemptOutcome, to: State, at: float | None = None) -> None:
        self.ledger.settle("j", self.attempt, outcome, to, at=at)

    def earlier_news(self) -> None:
        """The first request did go out."""
        self.ledger.settle("j", 1, _O.ACCEPTED, _S.ACCEPTED)

    def release(self, to: State) -> None:
        assert self.job is not None
        at = self.ledger.now + 10 if to is _S.SCHEDULED else None
        run(self.ledger.redis, release(self.job, to=to, reason="r", at=at, clock=self.ledger.now))

    def cancel(self) -> None:
        run(self.ledger.redis, cancel(JobId("j"), "by ann", clock=self.ledger.now))

    def withdraw(self) -> None:
        run(self.ledger.redis, withdraw(JobId("j"), "moved: a test", clock=self.ledger.now))

    def unwanted_begin(self, mark: str) -> None:
        """Its campaign does not want it any more."""
        name = "*" if mark == "paused" else "b"
        self.ledger.redis.hset(f"{redis_keys.UNWANTED}acme:a", name, mark)
        self.refused_begin()

    def refused_begin(self, not_after: float | None = None) -> None:
        assert self.job is not None
        run(
            self.ledger.redis,
            begin(self.job, lease_seconds=LEASE, not_after=not_after, clock=self.ledger.now),
        )

    def late_claim(self) -> None:
        """The doorbell is heard too late."""
        self._ring_anew()
        self.ledger.now += DOORBELL_SECONDS + 1
        self._claim_anew(LEASE)

    def reap_after(self, seconds: float) -> None:
        self.ledger.now += seconds
        self.ledger.reap()

    def begin_after_its_time(self) -> None:
        """A worker prepares it for very long."""
        self._ring_anew()
        claimed = self._claim_anew(2 * LIFE)
        assert isinstance(claimed, Claimed)
        self.job = claimed.job
        self.ledger.now += LIFE + 1
        self.refused_begin()

    def _ring_anew(self) -> None:
        self.reap_after(LEASE + 1)
        assert self.ledger.dispatch().jobs == ("j",)

    def _claim_anew(self, lease_seconds: float) -> Claimed | RefusedBy:
        call = claim(
            JobId("j"), worker="w", nonce="n", lease_seconds=lease_seconds, clock=self.ledger.now
        )
        return run(self.ledger.redis, call)

    def stop_workers(self) -> None:
        """All that it takes but the last one are gone already."""
        for n in range(POISON_REAPS - 1):
            self.reap_after(LEASE + 1)
            self.lease(f"w{n}")
        self.reap_after(LEASE + 1)

    def dispatch_after_its_time(self) -> None:
        self.ledger.now += LIFE + 1
        self.ledger.dispatch()

    def lost_after_earlier_news(self) -> None:
        """The worker of a resend is lost, after the first request turned out to have gone out."""
        self.earlier_news()
        self.reap_after(LEASE + 1)

    def suppressed_after_all(self) -> None:
        """It was no longer wanted when it was to be sent again, but a copy might be out.

        Then it turns out that none is.
        """
        self.reap_after(11)
        self.lease()
        self.release(_S.SUPPRESSED)
        assert self.ledger.state("j") is _S.UNCERTAIN
        self.settle(_O.NOT_SENT, _S.READY)

    def not_sent_after_all(self) -> None:
        """Nobody decided in months, so it was closed; then it had not gone out after all."""
        self.reap_after(LIFE + 1)
        self.reap_after(91 * 86400)
        self.settle(_O.NOT_SENT, _S.READY)
