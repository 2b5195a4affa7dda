"""Campaigns rehearsed: from the files of a campaign to what would come of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from certmail_config.campaigns.plan import Enrolment, versions
from certmail_config.process.release import release
from certmail_config.tenants.models import GoogleLimits
from certmail_worker.rehearsal.completions import Completion
from certmail_worker.rehearsal.outcome import RehearsalOutcome, WouldBeSent, outcome_of
from certmail_worker.rehearsal.run_through import RunThrough
from certmail_worker.rehearsal.sink import Sink, SunkMail
from certmail_worker.rehearsal.stage import rehearsal_stage
from certmail_worker.rehearsal.upstream import CompletionReports


class Rehearsed(NamedTuple):
    """What came of it, and what time it was in the end."""

    outcome: RehearsalOutcome
    ended: datetime


def rehearse(
    enrolments: Sequence[Enrolment],
    begins: datetime,
    completions: Sequence[Completion],
    limits: GoogleLimits,
    *,
    file: Callable[[SunkMail, int], str | None],
    tell: Callable[[datetime, int], None],
) -> Rehearsed:
    """Run campaigns from a time to their end.

    `file` gets each mail with its number, and gives the name of the file that it was written to;
    `tell` hears what time it has become, and how many mails there were. Raises Refused, WrongUse,
    RedisError.
    """
    sent: list[WouldBeSent] = []

    def keep(mail: SunkMail) -> None:
        written = file(mail, len(sent) + 1)
        sent.append(WouldBeSent(mail.job, mail.at, mail.tenant, mail.reminder.to, written))

    with rehearsal_stage(enrolments, begins, limits) as stage:
        upstream = CompletionReports(stage.admin, completions)
        through = RunThrough(stage, Sink(stage, keep), begins, upstream)
        through.play(lambda now: tell(now, len(sent)))

        not_going = [each for tenant in stage.tenants for each in through.plan(tenant).non_moments]
        outcome = outcome_of(
            stage.admin,
            enrolments,
            sent,
            through.reasons,
            not_going,
            completions,
            versions(release(None).version),
        )
    return Rehearsed(outcome, through.now)
