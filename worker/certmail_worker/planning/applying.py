"""What is to be done about a difference: withdrawn, written, enqueued, written again.

A mail is written down with the id of its job before the ledger gets it. Whoever is killed between
any two steps leaves what the next plan sees, and enqueues under the same id and key, or withdraws.
What was withdrawn the ledger does not take in any more: so a planner that stood still meanwhile does
no harm, and one that is killed then leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from redis.exceptions import RedisError

from certmail_config.admin.admin import Admin
from certmail_config.base.errors import ReminderRejected
from certmail_config.base.ids import JobId, uuid7
from certmail_config.campaigns.applying.difference import (
    Materialised,
    PlanDifference,
    ToEnqueue,
    ToWithdraw,
    digest_of,
)
from certmail_config.campaigns.applying.identity import Identity, key_of
from certmail_config.campaigns.applying.next_look import CampaignReviewer
from certmail_config.campaigns.running.states import MomentState
from certmail_config.jobs.reminder import Reminder
from certmail_config.jobs.states import State
from certmail_config.ledger import Enqueued, run_many, withdraw
from certmail_config.sql.campaigns.looks import changed_since
from certmail_worker.planning.intake import PlannedIntake, ToTakeIn
from certmail_worker.planning.known import KnownMail, reviewers_of, write_if_unchanged
from certmail_worker.planning.view import PlannerView

WITHDRAWN_AT_ONCE: Final = 200
PAGE: Final = 500
"""Mails that are written and enqueued together."""


class Applied(NamedTuple):
    """What was done; `refused` says by campaign why a mail of it could not be enqueued.

    `withdrawn` are jobs that SQL knows to be called off.

    `unsure` are reviewers to be planned again soon: a job had begun meanwhile, or was there already
    with other words, or something of them has changed.
    """

    enqueued: int
    withdrawn: frozenset[str]
    refused: Mapping[str, str]
    unsure: frozenset[CampaignReviewer]


def apply(
    admin: Admin,
    intake: PlannedIntake,
    tenant: str,
    wanted: PlanDifference,
    view: PlannerView,
    now: datetime,
) -> Applied:
    """Do it, as far as nothing has changed since the view was read.

    Raises Refused, StoresUnreachable, RedisError, and may be done again then.
    """
    doing = _Applying(admin, intake, tenant, view, now)
    withdrawn = doing.withdraw(wanted.withdraw)
    left = [each for each in wanted.enqueue if withdrawn.issuperset(each.instead_of)]
    enqueued = sum(doing.enqueue(left[start : start + PAGE]) for start in range(0, len(left), PAGE))
    return Applied(enqueued, frozenset(withdrawn), doing.refused, frozenset(doing.unsure))


class _Applying:
    """One difference under way; `known` is what was last written of each mail."""

    def __init__(
        self,
        admin: Admin,
        intake: PlannedIntake,
        tenant: str,
        view: PlannerView,
        now: datetime,
    ) -> None:
        self._admin = admin
        self._intake = intake
        self._tenant = tenant
        self._known, self._seen = dict(view.known), view.seen
        self._now = now
        self.refused: dict[str, str] = {}
        self.unsure: set[CampaignReviewer] = set()

    def withdraw(self, jobs: Sequence[ToWithdraw]) -> set[str]:
        """Take them back; gives those that were, and not what had begun or ended otherwise."""
        withdrawn: set[str] = set()
        for start in range(0, len(jobs), WITHDRAWN_AT_ONCE):
            page = self._as_seen(jobs[start : start + WITHDRAWN_AT_ONCE])
            states = self._call_off(page)
            # One that nobody knows was never enqueued, or is forgotten.
            gone = [
                each
                for each, state in zip(page, states, strict=True)
                if state in {State.SUPPRESSED, None}
            ]
            written = self._write([self._withdrawn(each) for each in gone])
            withdrawn |= {each.job for each, done in zip(gone, written, strict=True) if done}

        left = (each for each in jobs if each.job not in withdrawn)
        self.unsure |= reviewers_of(one for each in left for one in each.identities)
        return withdrawn

    def _as_seen(self, jobs: Sequence[ToWithdraw]) -> list[ToWithdraw]:
        """Those of whose reviewers nothing has changed since: another planner may want the others."""
        named = reviewers_of(one for each in jobs for one in each.identities)
        with self._admin.db() as db:
            changed = changed_since(db, self._tenant, named, self._seen)
        return [each for each in jobs if changed.isdisjoint(reviewers_of(each.identities))]

    def _call_off(self, page: Sequence[ToWithdraw]) -> list[State | None]:
        clock = None if self._intake.clock is None else self._intake.clock()
        calls = [withdraw(JobId(each.job), each.why, clock=clock) for each in page]
        return run_many(self._admin.redis, calls, replicas=self._intake.replicas)[0]

    def _withdrawn(self, job: ToWithdraw) -> dict[Identity, KnownMail]:
        return {
            identity: KnownMail(
                self._known[identity].known._replace(state=MomentState.WITHDRAWN),
                self._known[identity].kind,
                State.SUPPRESSED,
            )
            for identity in job.identities
        }

    def enqueue(self, page: Sequence[ToEnqueue]) -> int:
        """Write them down, enqueue them, write that down; gives how many were."""
        ready = [
            (each, JobId(each.job) if each.job else self._new_id(), reminder)
            for each in page
            if (reminder := self._reminder(each)) is not None
        ]
        planned = self._write(
            [_rows(each, job, MomentState.PLANNED) for each, job, _ in ready], if_as_seen=True
        )
        ours = [each for each, done in zip(ready, planned, strict=True) if done]
        answers = self._intake.take_in(self._tenant, [_to_take_in(*each) for each in ours])

        rows = []
        for (each, job, _), answer in zip(ours, answers, strict=True):
            if (why := _why_not(answer)) is not None:
                self.refused.setdefault(each.mail.identities[0].campaign, why)
                continue
            assert isinstance(answer, Enqueued), "all else is refused"
            if answer.code == "withdrawn":
                rows.append(_rows(each, job, MomentState.WITHDRAWN, outcome=State.SUPPRESSED))
                self.unsure |= reviewers_of(each.mail.identities)
                continue
            # Under this key an interrupted planner may have enqueued other words: then the next
            # plan puts this mail in their place.
            other = answer.code == "key_reused" and answer.id != job
            rows.append(_rows(each, answer.id, MomentState.ENQUEUED, unlike=other))
            if other:
                self.unsure |= reviewers_of(each.mail.identities)
        # What another planner has changed meanwhile it has withdrawn before.
        return sum(self._write(rows))

    def _reminder(self, each: ToEnqueue) -> Reminder | None:
        try:
            return each.mail.reminder
        except ReminderRejected as why:
            campaign = each.mail.identities[0].campaign
            self.refused.setdefault(campaign, f"{why.code}: {why.message}")
            return None

    def _write(
        self, groups: Sequence[Mapping[Identity, KnownMail]], *, if_as_seen: bool = False
    ) -> list[bool]:
        if not groups:
            return []
        seen = self._seen if if_as_seen else None
        with self._admin.db() as db:
            written = write_if_unchanged(db, self._tenant, groups, self._known, seen)
            named = reviewers_of(one for group in groups for one in group)
            # Whatever was done of these: the next plan sees whether it is still wanted so.
            self.unsure |= changed_since(db, self._tenant, named, self._seen)

        for group, done in zip(groups, written, strict=True):
            if done:
                self._known.update(group)
            else:  # another planner is at work: it, or the next plan, sees to it
                self.unsure |= reviewers_of(group)
        return written

    def _new_id(self) -> JobId:
        return JobId(uuid7(int(self._now.timestamp() * 1000)))


def _why_not(answer: Enqueued | ReminderRejected | RedisError) -> str | None:
    if isinstance(answer, ReminderRejected):
        return f"{answer.code}: {answer.message}"
    if isinstance(answer, RedisError):
        return f"redis_refused: {answer}"
    if answer.code == "tenant_full":
        return "tenant_full: Redis has little room left, and the tenant has its share of it"
    if answer.code == "unknown_connection":
        return "unknown_connection: the campaign's connection was removed"
    return None


def _to_take_in(each: ToEnqueue, job: JobId, reminder: Reminder) -> ToTakeIn:
    mail = each.mail
    key = key_of(mail.identities, each.generation)
    closes_at = None if mail.closes_at is None else mail.closes_at.timestamp()
    return ToTakeIn(job, reminder.model_copy(update={"key": key}), mail.told_of, closes_at)


def _rows(
    each: ToEnqueue,
    job: str,
    state: MomentState,
    *,
    unlike: bool = False,
    outcome: State | None = None,
) -> dict[Identity, KnownMail]:
    digest = "" if unlike else digest_of(each.mail)
    known = Materialised(each.mail.at, digest, each.generation, job, state)
    return {
        identity: KnownMail(known, kind, outcome)
        for identity, kind in zip(each.mail.identities, each.mail.kinds, strict=True)
    }
