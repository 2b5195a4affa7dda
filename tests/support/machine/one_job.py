"""One job under a clock that tests move, brought to where something is to happen to it."""

from __future__ import annotations

from typing import Final

from redis import Redis

from certmail_config.base.ids import JobId
from certmail_config.jobs.states import FINAL, AttemptOutcome, State
from certmail_config.ledger import Claimed, Job, RefusedBy, begin, cancel, claim, release, run
from certmail_config.ledger.delivery import DOORBELL_SECONDS
from certmail_config.ledger.ending import POISON_REAPS
from support.machine.clocked_ledger import LEASE, Bench

_S, _O = State, AttemptOutcome
CLOSED: Final = FINAL - {State.ACCEPTED}
LIFE: Final = 86_400.0
"""From enqueueing until its time has passed; seconds."""


class Scene:
    """A ledger with one job `j`; `doubted` says whether what became of its first request is unknown."""

    def __init__(self, redis: Redis, *, doubted: bool) -> None:
        self.bench, self.doubted = Bench(redis), doubted
        self.bench.lane("a", in_flight=100)
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
            self.settle(_O.UNKNOWN, _S.UNCERTAIN, at=self.bench.now + 10)

    def _schedule(self) -> None:
        if self.doubted:
            self.lease()
            self.release(_S.SCHEDULED)
        else:
            self.enqueue(_S.SCHEDULED)

    def enqueue(self, state: State = _S.READY) -> None:
        send_at = self.bench.now + 10 if state is _S.SCHEDULED else None
        self.bench.enqueue(
            "j", state=state, send_at=send_at, reason="", expires_at=self.bench.now + LIFE
        )

    def lease(self, worker: str = "w") -> Job:
        self.bench.now += 60
        assert self.bench.dispatch().jobs == ("j",)
        self.job = self.bench.claim("j", worker, nonce=f"{worker}{self.bench.now}")
        return self.job

    def begin(self) -> None:
        assert self.job is not None
        self.bench.begin(self.job)

    def _doubt(self) -> None:
        """Send it without learning what became of it; a rule sends it again."""
        self.lease()
        self.begin()
        self.settle(_O.UNKNOWN, _S.UNCERTAIN, at=self.bench.now + 10)
        self.bench.now += 11
        self.bench.reap()

    def settle(self, outcome: AttemptOutcome, to: State, at: float | None = None) -> None:
        self.bench.settle("j", self.attempt, outcome, to, at=at)

    def earlier_news(self) -> None:
        """The first request did go out."""
        self.bench.settle("j", 1, _O.ACCEPTED, _S.ACCEPTED)

    def release(self, to: State) -> None:
        assert self.job is not None
        at = self.bench.now + 10 if to is _S.SCHEDULED else None
        run(self.bench.redis, release(self.job, to=to, reason="r", at=at, clock=self.bench.now))

    def cancel(self) -> None:
        run(self.bench.redis, cancel(JobId("j"), "by ann", clock=self.bench.now))

    def refused_begin(self, not_after: float | None = None) -> None:
        assert self.job is not None
        run(
            self.bench.redis,
            begin(self.job, lease_seconds=LEASE, not_after=not_after, clock=self.bench.now),
        )

    def late_claim(self) -> None:
        """The doorbell is heard too late."""
        self._ring_anew()
        self.bench.now += DOORBELL_SECONDS + 1
        self._claim_anew(LEASE)

    def reap_after(self, seconds: float) -> None:
        self.bench.now += seconds
        self.bench.reap()

    def begin_after_its_time(self) -> None:
        """A worker prepares it for very long."""
        self._ring_anew()
        claimed = self._claim_anew(2 * LIFE)
        assert isinstance(claimed, Claimed)
        self.job = claimed.job
        self.bench.now += LIFE + 1
        self.refused_begin()

    def _ring_anew(self) -> None:
        self.reap_after(LEASE + 1)
        assert self.bench.dispatch().jobs == ("j",)

    def _claim_anew(self, lease_seconds: float) -> Claimed | RefusedBy:
        call = claim(
            JobId("j"), worker="w", nonce="n", lease_seconds=lease_seconds, clock=self.bench.now
        )
        return run(self.bench.redis, call)

    def stop_workers(self) -> None:
        """All that it takes but the last one are gone already."""
        for n in range(POISON_REAPS - 1):
            self.reap_after(LEASE + 1)
            self.lease(f"w{n}")
        self.reap_after(LEASE + 1)

    def dispatch_after_its_time(self) -> None:
        self.bench.now += LIFE + 1
        self.bench.dispatch()

    def lost_after_earlier_news(self) -> None:
        """The worker of a resend is lost, after the first request turned out to have gone out."""
        self.earlier_news()
        self.reap_after(LEASE + 1)

    def suppressed_after_all(self) -> None:
        """No longer wanted when it was to be sent again, but a copy may be out; then it turns out that none is."""
        self.reap_after(11)
        self.lease()
        self.release(_S.SUPPRESSED)
        assert self.bench.state("j") is _S.UNCERTAIN
        self.settle(_O.NOT_SENT, _S.READY)

    def not_sent_after_all(self) -> None:
        """Nobody decided in months, so it was closed; then it turns out that it had not gone out."""
        self.reap_after(LIFE + 1)
        self.reap_after(91 * 86400)
        self.settle(_O.NOT_SENT, _S.READY)
