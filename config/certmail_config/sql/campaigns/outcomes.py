"""What the record says of the jobs that stand for planned mails."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from sqlalchemy import Connection as Db
from sqlalchemy import select

from certmail_config.campaigns.running.states import MomentState
from certmail_config.jobs.states import FINAL, State
from certmail_config.sql import tables
from certmail_config.sql.campaigns.pages import pages

_SAID: Final = FINAL | {State.UNCERTAIN}


class JobOutcome(NamedTuple):
    """How a job is, as the record has it."""

    state: State
    reason: str


def outcomes_of_reviewers(
    db: Db, tenant: str, campaign: str, reviewers: Iterable[str]
) -> dict[str, JobOutcome]:
    """The jobs that stand for mails about these reviewers and have ended, or may have left."""
    moments, record = tables.campaign_moments, tables.deliveries
    query = (
        select(record.c.job, record.c.state, record.c.reason)
        .join(moments, record.c.job == moments.c.job)
        .where(
            moments.c.tenant == tenant,
            moments.c.campaign == campaign,
            moments.c.state.in_([MomentState.PLANNED, MomentState.ENQUEUED]),
            record.c.state.in_(sorted(_SAID)),
        )
        .distinct()
    )
    return {
        row.job: JobOutcome(State(row.state), row.reason or "")
        for page in pages(reviewers)
        for row in db.execute(query.where(moments.c.reviewer.in_(page)))
    }
