"""Where a rehearsal's mails end: claimed, composed, begun and settled as a worker does, and kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import uuid4

from certmail_config.base.ids import JobId
from certmail_config.compose import Mail
from certmail_config.jobs.contract import read_payload
from certmail_config.jobs.reminder import Reminder
from certmail_config.jobs.states import AttemptOutcome, State
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
_ACCEPTED: Final = Settlement(AttemptOutcome.ACCEPTED, State.ACCEPTED, "accepted by the sink")


class SunkMail(NamedTuple):
    """A mail that would have left."""

    job: JobId
    at: datetime
    tenant: str
    reminder: Reminder
    mail: Mail


class Sink:
    """Takes every mail, in place of Gmail; `keep` gets each as it comes."""

    def __init__(self, stage: RehearsalStage, keep: Callable[[SunkMail], None]) -> None:
        self._stage = stage
        self._redis = stage.admin.redis
        self._keep = keep

    def deliver(self, jobs: Sequence[JobId], now: datetime) -> None:
        """Deliver what a pacer has let go; raises RedisError."""
        clock = now.timestamp()
        claims = [
            claim(
                job,
                worker=WORKER,
                nonce=uuid4().hex,
                lease_seconds=LEASE_SECONDS,
                clock=clock,
            )
            for job in jobs
        ]
        claimed = [
            each.job for each in run_many(self._redis, claims)[0] if isinstance(each, Claimed)
        ]
        written = [mail for job in claimed if (mail := self._write(job, now)) is not None]

        begins = [begin(job, lease_seconds=LEASE_SECONDS, clock=clock) for job, _ in written]
        settled = []
        for (job, sunk), begun in zip(written, run_many(self._redis, begins)[0], strict=True):
            if isinstance(begun, Begun):
                self._keep(sunk)
                settled.append(
                    settle(job.id, begun.attempt, _ACCEPTED, detail=_detail(now), clock=clock)
                )
        run_many(self._redis, settled)

    def _write(self, job: Job, now: datetime) -> tuple[Job, SunkMail] | None:
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
        return job, SunkMail(job.id, now, job.tenant, reminder, mail)


def _detail(now: datetime) -> str:
    """When it was accepted, as an attempt's record has it."""
    at = now.isoformat(timespec="milliseconds")
    return json.dumps({"outcome": AttemptOutcome.ACCEPTED, "ended_at": at})
