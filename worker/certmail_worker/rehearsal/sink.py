"""Where a rehearsal's mails end: every one is accepted, and kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from certmail_config.base.ids import JobId
from certmail_config.compose import Mail
from certmail_config.jobs.reminder import Reminder
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import Settlement
from certmail_worker.rehearsal.batches import Batches, Settled
from certmail_worker.rehearsal.stage import RehearsalStage

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
        self._batches = Batches(stage)
        self._keep = keep

    def deliver(self, jobs: Sequence[JobId], now: datetime) -> None:
        """Deliver what a pacer has let go; raises RedisError."""
        composed = self._batches.compose(jobs, now)
        detail = _detail(now)
        settled = []

        for each, begun in self._batches.begin(composed, now):
            job = each.job
            self._keep(SunkMail(job.id, now, job.tenant, each.reminder, each.mail))
            settled.append(Settled(job.id, begun.attempt, _ACCEPTED, detail))
        self._batches.settle(settled, now)


def _detail(now: datetime) -> str:
    """When it was accepted, as an attempt's record has it."""
    at = now.isoformat(timespec="milliseconds")
    return json.dumps({"outcome": AttemptOutcome.ACCEPTED, "ended_at": at})
