"""A ledger with a clock of its own."""

from __future__ import annotations

from typing import Any, cast

from redis import Redis
from redis.exceptions import RedisError

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId, JobId
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import (
    Begun,
    Call,
    Cancellation,
    Claimed,
    Dispatched,
    Enqueued,
    Job,
    Lane,
    Reaped,
    RefusedBy,
    Settlement,
    advertise,
    begin,
    cancel,
    claim,
    dispatch,
    enqueue,
    enqueue_many,
    open_lane,
    reap,
    run,
    run_many,
    set_lane,
    settle,
)
from certmail_config.ledger.view import JobView, read_job

START = 4_000_000_000.0
"""Far ahead: what expires by the ledger's time must not expire by the server's."""
LEASE = 45.0


class ClockedLedger:
    """The ledger's transitions under a clock that tests move.

    It begins with one open lane `a` and one worker `w`.
    """

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        # Noted, so that it is believed whatever time was noted before.
        self.now = START
        redis.set(redis_keys.CHECKED_RUN, cast("str", cast("Any", redis.info("server"))["run_id"]))
        self.lane("a")
        self.works("w", 100)

    @property
    def now(self) -> float:
        """The ledger's time; moving it is noted, as live workers note it each second."""
        return self._now

    @now.setter
    def now(self, now: float) -> None:
        self._now = now
        run(self.redis, advertise("ticker", 0, seconds=0, believe=True, clock=now))

    def lane(
        self,
        connection: str,
        *,
        mailbox: str | None = None,
        units: int = 6000,
        in_flight: int = 4,
        opened: bool = True,
        **more: Any,
    ) -> None:
        """Make a lane, or change its limits; all are of one project unless another is named."""
        given = {"project": "p"} | more
        lane = Lane(
            ConnectionId(connection),
            "acme",
            mailbox or f"m-{connection}",
            units,
            in_flight,
            1,
            **given,
        )

        run(self.redis, set_lane(lane, code="connection_draft", message="not set up yet"))
        if opened:
            run(self.redis, open_lane(lane.connection, 1, clock=self.now))

    def works(self, worker: str, capacity: int) -> None:
        run(self.redis, advertise(worker, capacity, seconds=1e6, clock=self.now))

    def enqueue(self, job: str, **more: Any) -> Enqueued:
        return run(self.redis, self._enqueueing(job, **more))

    def enqueue_together(self, *given: dict[str, Any]) -> list[Enqueued | RedisError]:
        """Several by one call of the script; each as the arguments of `enqueue`."""
        return run(self.redis, enqueue_many([self._enqueueing(**each) for each in given]))

    def fill(self, lane: str, count: int, **more: Any) -> None:
        """So many jobs for a lane, which is named in their ids; they live for a month."""
        given = {"expires_at": self.now + 30 * 86400} | more
        run_many(
            self.redis,
            [self._enqueueing(f"{lane}{n}", lane=lane, **given) for n in range(count)],
        )

    def _enqueueing(
        self,
        job: str,
        *,
        lane: str = "a",
        dedupe: str | None = None,
        fingerprint: str = "f",
        **more: Any,
    ) -> Call[Enqueued]:
        given: dict[str, Any] = {
            "id": JobId(job),
            "tenant": "acme",
            "connection": ConnectionId(lane),
            "dedupe": f"acme:{dedupe or job}",
            "fingerprint": fingerprint,
            "state": State.READY,
            "reason": "",
            "send_at": None,
            "expires_at": self.now + 86400,
            "priority": 5,
            "kind": "reminder",
            "campaign": "q4",
            "keep_seconds": 90 * 86400,
            "body": b"\x00sealed",
            "clock": self.now,
        }

        return enqueue(**(given | more))

    def dispatch(self, maximum: int = 100, *, unanswered: int = 0) -> Dispatched:
        return run(self.redis, dispatch(maximum, unanswered=unanswered, clock=self.now))

    def claim(self, job: str, worker: str = "w", nonce: str = "n") -> Job:
        claimed = run(
            self.redis,
            claim(JobId(job), worker=worker, nonce=nonce, lease_seconds=LEASE, clock=self.now),
        )
        assert isinstance(claimed, Claimed), claimed
        return claimed.job

    def begin(self, job: Job) -> Begun:
        begun = run(self.redis, begin(job, lease_seconds=LEASE, clock=self.now))
        assert isinstance(begun, Begun), begun
        return begun

    def try_to_begin(self, job: Job) -> Begun | RefusedBy:
        return run(self.redis, begin(job, lease_seconds=LEASE, clock=self.now))

    def fly(self, job: str) -> Job:
        """Dispatch, claim and begin."""
        assert job in self.dispatch().jobs
        claimed = self.claim(job)
        self.begin(claimed)
        return claimed

    def settle(
        self,
        job: str,
        attempt: int = 1,
        outcome: AttemptOutcome = AttemptOutcome.ACCEPTED,
        to: State = State.ACCEPTED,
        **more: Any,
    ) -> State | None:
        then = Settlement(outcome, to, f"was {outcome}", **more)
        return run(self.redis, settle(JobId(job), attempt, then, detail="{}", clock=self.now))

    def leave(
        self, seconds: float, *, step: float = 0.02, latency: float = 0.2, patient: bool = True
    ) -> list[tuple[float, str]]:
        """Let whatever may leave do so for a while, accepted each time; gives when which did.

        The pacer sleeps as it is told to, in whole steps; where it is not `patient` it asks at
        each step.
        """
        left: list[tuple[float, str]] = []
        under_way: list[tuple[float, str]] = []
        end = self.now + seconds

        while self.now < end:
            dispatched = self.dispatch()
            for job in dispatched.jobs:
                self.begin(self.claim(job))
                left.append((self.now, job))
                under_way.append((self.now + latency, job))
            ended = [each for each in under_way if each[0] <= self.now]
            for each in ended:
                under_way.remove(each)
                self.settle(each[1], self.attempts(each[1]))

            # What ended may have made room.
            wake = self.now if ended or not patient else end
            if dispatched.next_in is not None:
                wake = min(wake, self.now + dispatched.next_in)
            self._sleep(min([wake, *(at for at, _ in under_way)]), step)

        return left

    def _sleep(self, until: float, step: float) -> None:
        """At least a step, and to the end of the one in which somebody wakes."""
        now = self.now + step
        while now < until:
            now += step
        self.now = now

    def attempts(self, job: str) -> int:
        return int(self.field(redis_keys.JOB + job, "attempt"))

    def cancel(self, job: str) -> Cancellation:
        return run(self.redis, cancel(JobId(job), "cancelled: by a test", clock=self.now))

    def reap(self) -> Reaped:
        return run(self.redis, reap(500, clock=self.now))

    def see(self, job: str) -> JobView:
        lane: Any = self.redis.hget(redis_keys.JOB + job, "connection")
        fields: Any = self.redis.hgetall(redis_keys.JOB + job)
        info: Any = self.redis.hgetall(redis_keys.LANE_INFO + (lane or b"").decode())
        view = read_job(job, fields, info)
        assert view is not None, f"{job} is unknown"
        return view

    def state(self, job: str) -> State:
        return self.see(job).state

    def events(self) -> list[str]:
        entries: Any = self.redis.xrange(redis_keys.EVENTS)
        return [fields[b"type"].decode() for _, fields in entries]

    def field(self, key: str, name: str) -> Any:
        return self.redis.hget(key, name)
