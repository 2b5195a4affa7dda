"""What is to be done about a difference: withdrawn, written, enqueued, written again.

A mail is written down with the id of its job before the ledger gets it. Whoever is killed between
any two steps leaves what the next plan sees, and enqueues under the same id and key, or withdraws.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from redis import Redis
from redis.exceptions import RedisError

from certmail_config.admin.admin import Admin
from certmail_config.base.errors import ReminderRejected
from certmail_config.base.ids import JobId, uuid7
from certmail_config.campaigns.applying.difference import (
    Difference,
    Materialised,
    ToEnqueue,
    ToWithdraw,
)
from certmail_config.campaigns.applying.identity import Identity, key_of
from certmail_config.campaigns.running.states import MomentState
from certmail_config.jobs.states import State
from certmail_config.ledger import Enqueued, run_many, withdraw
from certmail_worker.planning.intake import PlannedIntake, ToTakeIn
from certmail_worker.planning.known import KnownMail, write_down

WITHDRAWN_AT_ONCE: Final = 200
PAGE: Final = 500
"""Mails that are written and enqueued together."""


class Applied(NamedTuple):
    """What was done; `refused` says by campaign why a mail of it could not be enqueued.

    `unsure` are campaigns to be planned again soon: a job had begun meanwhile, or was there already
    with other words.
    """

    enqueued: int
    withdrawn: int
    refused: Mapping[str, str]
    unsure: frozenset[str]


def apply(
    admin: Admin,
    intake: PlannedIntake,
    tenant: str,
    wanted: Difference,
    known: Mapping[Identity, KnownMail],
    now: datetime,
) -> Applied:
    """Do it; raises StoresUnreachable, RedisError, and may be done again then."""
    begun = _withdraw(admin.redis, wanted.withdraw, intake)
    gone = [each for each in wanted.withdraw if each.job not in begun]
    _write(admin, tenant, _withdrawn(gone, known))

    left = [each for each in wanted.enqueue if not begun & set(each.instead_of)]
    refused: dict[str, str] = {}
    unsure = {
        one.campaign for each in wanted.withdraw if each.job in begun for one in each.identities
    }
    enqueued = 0
    for start in range(0, len(left), PAGE):
        enqueued += _enqueue(
            admin, intake, tenant, left[start : start + PAGE], now, refused, unsure
        )
    return Applied(enqueued, len(gone), refused, frozenset(unsure))


def _withdraw(redis: Redis, jobs: Sequence[ToWithdraw], intake: PlannedIntake) -> set[str]:
    """Take them back; gives those that had begun, or ended otherwise."""
    begun: set[str] = set()
    for start in range(0, len(jobs), WITHDRAWN_AT_ONCE):
        page = jobs[start : start + WITHDRAWN_AT_ONCE]
        clock = None if intake.clock is None else intake.clock()
        calls = [withdraw(JobId(each.job), each.why, clock=clock) for each in page]
        states, _ = run_many(redis, calls, replicas=intake.replicas)
        begun |= {
            each.job
            for each, state in zip(page, states, strict=True)
            # One that nobody knows was never enqueued, or is forgotten.
            if state not in {State.SUPPRESSED, None}
        }
    return begun


def _withdrawn(
    jobs: Iterable[ToWithdraw],
    known: Mapping[Identity, KnownMail],
) -> dict[Identity, KnownMail]:
    return {
        identity: KnownMail(
            known[identity].known._replace(state=MomentState.WITHDRAWN),
            known[identity].kind,
            each.why.partition(":")[0],
        )
        for each in jobs
        for identity in each.identities
    }


def _enqueue(
    admin: Admin,
    intake: PlannedIntake,
    tenant: str,
    page: Sequence[ToEnqueue],
    now: datetime,
    refused: dict[str, str],
    unsure: set[str],
) -> int:
    ids = [JobId(each.job) if each.job else _new_id(now) for each in page]
    _write(
        admin,
        tenant,
        {
            identity: row
            for each, job in zip(page, ids, strict=True)
            for identity, row in _rows(each, job, MomentState.PLANNED)
        },
    )

    mails = [_to_take_in(each, job) for each, job in zip(page, ids, strict=True)]
    answers = intake.take_in(tenant, mails)
    rows: dict[Identity, KnownMail] = {}
    for each, job, answer in zip(page, ids, answers, strict=True):
        first = each.mail.identities[0]
        if (why := _why_not(answer)) is not None:
            refused.setdefault(first.campaign, why)
            continue
        assert isinstance(answer, Enqueued), "all else is refused"
        rows |= dict(_rows(each, answer.id, MomentState.ENQUEUED))
        if answer.code == "key_reused" and answer.id != job:
            # What an interrupted planner enqueued with other words: the next plan replaces it.
            unsure.add(first.campaign)
            for identity in each.mail.identities:
                rows[identity] = rows[identity]._replace(
                    known=rows[identity].known._replace(digest="")
                )
    _write(admin, tenant, rows)
    return len({row.known.job for row in rows.values()})


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


def _to_take_in(each: ToEnqueue, job: JobId) -> ToTakeIn:
    mail = each.mail
    key = key_of(mail.identities, each.generation)
    closes_at = None if mail.closes_at is None else mail.closes_at.timestamp()
    return ToTakeIn(job, mail.reminder.model_copy(update={"key": key}), mail.told_of, closes_at)


def _rows(each: ToEnqueue, job: str, state: MomentState) -> Iterable[tuple[Identity, KnownMail]]:
    for identity, kind in zip(each.mail.identities, each.mail.kinds, strict=True):
        known = Materialised(each.mail.at, each.mail.digest, each.generation, job, state)
        yield identity, KnownMail(known, kind)


def _write(admin: Admin, tenant: str, mails: Mapping[Identity, KnownMail]) -> None:
    if mails:
        with admin.db() as db:
            write_down(db, tenant, mails)


def _new_id(now: datetime) -> JobId:
    return JobId(uuid7(int(now.timestamp() * 1000)))
