"""Reminders by the thousand through the ledger, without mail, under a clock that runs ahead.

They are moved as workers would move them.

Most are accepted; some are refused and tried again, stay unknown, lose their worker, or are called
off. A seed decides.
"""

from __future__ import annotations

import json
import random
import time
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from redis import Redis

from certmail import Mailer, Receipt, Reminder
from certmail_config.admin.admin import Admin
from certmail_config.base import redis_keys
from certmail_config.base.ids import JobId
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import (
    Begun,
    Call,
    Claimed,
    Settlement,
    advertise,
    begin,
    cancel,
    claim,
    dispatch,
    reap,
    run,
    run_many,
    settle,
)
from certmail_config.tenants.models import GoogleLimits

TENANTS: Final = 4
WORKERS: Final = 20
"""So many doorbells may ring at once."""
STEP_SECONDS: Final = 2.0
LEASE_SECONDS: Final = 20.0
FAST: Final = GoogleLimits(
    units_per_minute=10_000_000,
    in_flight=200,
    per_day=10_000_000,
    project_units_per_minute=100_000_000,
    project_units_per_day=1_000_000_000,
)


class BulkLoad:
    """One deployment's load; `left` is how many are not at their end yet."""

    def __init__(self, admin: Admin, seed: int) -> None:
        self.redis: Redis = admin.redis
        self.jobs: list[JobId] = []
        self.left = 0
        self._random = random.Random(seed)
        self._now = time.time()

        for n in range(TENANTS):
            tenant = f"tenant-{n}"
            admin.add_tenant(tenant)
            made = admin.add_customer_owned_app(
                tenant,
                "default",
                service_account=f"sa@{tenant}.iam.gserviceaccount.com",
                mailbox=f"reviews@{tenant}.example",
                limits=FAST,
                valid_days=30,
            )

            admin.save(made.working(key_id=f"key-{n}"))

    def enqueue(self, count: int, campaign: str) -> None:
        """Take so many in."""
        reminders = (
            Reminder(
                tenant=f"tenant-{n % TENANTS}", to=f"reviewer{n}@people.example", campaign=campaign
            )
            for n in range(count)
        )

        with Mailer(self.redis) as mailer:
            self.jobs += [
                JobId(each.id) for each in mailer.send_many(reminders) if isinstance(each, Receipt)
            ]

        self.left += count

    def step(self) -> None:
        """Let two seconds pass in the ledger: dispatch, claim, begin and settle whatever may."""
        self._now += STEP_SECONDS
        now = self._now
        for n in range(WORKERS):
            run(self.redis, advertise(f"w{n}", 1000, seconds=60, clock=now))
        run(self.redis, reap(500, clock=now))
        rung = run(self.redis, dispatch(1000, clock=now)).jobs
        calls: list[Call[Any]] = [
            claim(
                job,
                worker=f"w{n % WORKERS}",
                nonce=uuid4().hex,
                lease_seconds=LEASE_SECONDS,
                clock=now,
            )
            for n, job in enumerate(rung)
        ]
        claimed = [each.job for each in run_many(self.redis, calls)[0] if isinstance(each, Claimed)]
        calls = [
            begin(job, lease_seconds=LEASE_SECONDS, resend_after=10, clock=now) for job in claimed
        ]
        begun = run_many(self.redis, calls)[0]
        ends = [
            self._settle(job.id, each.attempt)
            for job, each in zip(claimed, begun, strict=True)
            if isinstance(each, Begun) and self._random.random() > 0.01  # else its worker is lost
        ]
        run_many(self.redis, ends)

        if self.jobs:
            called_off = self._random.sample(self.jobs, k=min(8, len(self.jobs)))
            run_many(
                self.redis, [cancel(job, "cancelled: by ann", clock=now) for job in called_off]
            )

        self.left = int(self.redis.zcard(redis_keys.DUE))

    def finish(self) -> None:
        """Until nothing moves any more but by a person: what is left is uncertain, and held."""
        still = 0
        while self.left and still < LEASE_SECONDS / STEP_SECONDS + 5:
            before = self.newest_event()
            self.step()
            still = still + 1 if self.newest_event() == before else 0

    def states(self) -> dict[str, str]:
        """The state that each is in, in the ledger."""
        with self.redis.pipeline(transaction=False) as pipe:
            for job in self.jobs:
                pipe.hget(redis_keys.JOB + job, "state")
            return {
                job: state.decode() for job, state in zip(self.jobs, pipe.execute(), strict=True)
            }

    def newest_event(self) -> str:
        """The id of the stream's last entry."""
        newest: Any = self.redis.xrevrange(redis_keys.EVENTS, count=1)
        return str(newest[0][0].decode())

    def _settle(self, job: JobId, attempt: int) -> Call[Any]:
        drawn, at = self._random.random(), None
        if drawn < 0.88:
            outcome, to = AttemptOutcome.ACCEPTED, State.ACCEPTED
        elif drawn < 0.92:
            outcome, to = AttemptOutcome.NOT_SENT, State.READY
        elif drawn < 0.97:
            outcome, to, at = AttemptOutcome.UNKNOWN, State.UNCERTAIN, self._now + 10
        else:
            outcome, to = AttemptOutcome.REJECTED, State.FAILED

        detail = {
            "outcome": outcome,
            "ended_at": datetime.fromtimestamp(self._now, UTC).isoformat(timespec="milliseconds"),
            "http_status": 200 if to is State.ACCEPTED else 400,
            "latency_ms": self._random.randrange(80, 400),
            "gmail_id": uuid4().hex[:16] if to is State.ACCEPTED else None,
        }

        text = json.dumps({name: value for name, value in detail.items() if value is not None})
        reason = "" if to is State.ACCEPTED else f"{outcome}: drawn"
        then = Settlement(outcome, to, reason, at=at)

        return settle(job, attempt, then, detail=text, clock=self._now)
