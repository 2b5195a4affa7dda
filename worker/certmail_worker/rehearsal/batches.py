"""A rehearsal's deliveries, many at a time: claimed, composed, begun and settled as a worker does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import uuid4

from certmail_config.base.ids import JobId
from certmail_config.compose import Mail
from certmail_config.jobs.contract import read_payload
from certmail_config.jobs.reminder import Reminder
from certmail_config.ledger import (
    Begun,
    Claimed,
    Job,
    Settlement,
    begin,
    claim,
    release,
    run,
    run_many,
    settle,
)
from certmail_worker.delivery.prepare import compose_message, not_composed
from certmail_worker.rehearsal.stage import RehearsalStage

WORKER: Final = "rehearsal"
LEASE_SECONDS: Final = 45.0


class ComposedJob(NamedTuple):
    """A claimed job, and the mail that it becomes."""

    job: Job
    reminder: Reminder
    mail: Mail


class Settled(NamedTuple):
    """What became of an attempt, and what its record says of it."""

    job: JobId
    attempt: int
    settlement: Settlement
    detail: str


class Batches:
    """The steps of many deliveries at once; all raise RedisError."""

    def __init__(self, stage: RehearsalStage) -> None:
        self._stage = stage
        self._redis = stage.admin.redis

    def compose(self, jobs: Sequence[JobId], now: datetime) -> list[ComposedJob]:
        """Claim them, and write the mails of those that could be."""
        claims = [
            claim(
                job,
                worker=WORKER,
                nonce=uuid4().hex,
                lease_seconds=LEASE_SECONDS,
                clock=now.timestamp(),
            )
            for job in jobs
        ]
        claimed = [each for each in run_many(self._redis, claims)[0] if isinstance(each, Claimed)]
        composed = [self._compose(each.job, now) for each in claimed]
        return [each for each in composed if each is not None]

    def begin(
        self, composed: Sequence[ComposedJob], now: datetime
    ) -> list[tuple[ComposedJob, Begun]]:
        """Put on record that they leave; gives those that may."""
        clock = now.timestamp()
        calls = [begin(each.job, lease_seconds=LEASE_SECONDS, clock=clock) for each in composed]
        answers = run_many(self._redis, calls)[0]
        return [
            (each, answer)
            for each, answer in zip(composed, answers, strict=True)
            if isinstance(answer, Begun)
        ]

    def settle(self, settled: Iterable[Settled], now: datetime) -> None:
        """Put on record what became of them."""
        calls = [
            settle(
                each.job,
                each.attempt,
                each.settlement,
                detail=each.detail,
                clock=now.timestamp(),
            )
            for each in settled
        ]
        run_many(self._redis, calls)

    def _compose(self, job: Job, now: datetime) -> ComposedJob | None:
        """The mail of a job; where none can be made, the job ends as it does in a worker."""
        tenant = self._stage.tenants[job.tenant]
        reminder = read_payload(tenant.opener.open(job.body, tenant=job.tenant, job=job.id))
        mailbox = self._stage.mailboxes[job.connection]
        at = now.replace(microsecond=0)

        try:
            mail = compose_message(reminder, job.id, mailbox, tenant, now=at)
        # Whatever it is, the others' mails are to be seen.
        except Exception as error:  # noqa: BLE001
            ends = not_composed(error, job, others_work=True)
            run(
                self._redis,
                release(job, to=ends.to, reason=ends.reason, clock=now.timestamp()),
            )
            return None
        return ComposedJob(job, reminder, mail)
