"""What the planner asks and notes: which campaigns are due, and when to look at each again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy import Connection as Db

from certmail_config.campaigns.plan import Enrolment
from certmail_config.campaigns.sent import Sent
from certmail_config.jobs.states import State
from certmail_config.sql import tables
from certmail_config.sql.campaigns.campaigns import KeptCampaign, read_row
from certmail_config.sql.campaigns.pages import pages
from certmail_config.sql.campaigns.reviewers import load_reviewers
from certmail_config.sql.campaigns.seals import ReviewerSeals

_T: Final = tables.campaigns


def due_campaigns(db: Db, now: datetime, limit: int) -> list[KeptCampaign]:
    """Campaigns to be planned by now, at most so many, whatever their state.

    The first of each tenant come first, then the second of each: one with many delays nobody. Of a
    campaign that is paused or stopped the planner has to withdraw what waits.
    """
    turn = func.row_number().over(partition_by=_T.c.tenant, order_by=(_T.c.next_plan_at, _T.c.id))
    due = (
        select(_T.c.tenant, _T.c.id, _T.c.next_plan_at, turn.label("turn"))
        .where(_T.c.next_plan_at <= now)
        .subquery()
    )
    query = (
        select(_T)
        .join(due, (due.c.tenant == _T.c.tenant) & (due.c.id == _T.c.id))
        .order_by(due.c.turn, due.c.next_plan_at, due.c.tenant)
        .limit(limit)
    )
    return [read_row(dict(row)) for row in db.execute(query).mappings()]


def earliest_plan(db: Db) -> datetime | None:
    """When the next campaign is to be planned; None where none is."""
    found: datetime | None = db.execute(select(func.min(_T.c.next_plan_at))).scalar_one()
    return found


def load_enrolment(
    db: Db, seals: ReviewerSeals, kept: KeptCampaign, only: Collection[str] | None = None
) -> Enrolment:
    """A campaign with its reviewers, what is left to them and what went, as the plan takes it.

    With `only`, these of them. Raises SealBroken.
    """
    tenant, id_ = kept.key
    return Enrolment(
        kept.campaign,
        load_reviewers(db, seals, id_, only),
        sent=sent_of_campaign(db, tenant, id_, only),
    )


def sent_of_campaign(
    db: Db, tenant: str, campaign: str, only: Collection[str] | None = None
) -> list[Sent]:
    """What went to its reviewers, as the record has it; of escalations also who else was told.

    What Gmail accepted, and what is uncertain: that is never planned again, but counts for nothing.
    """
    moments, record, attempts = tables.campaign_moments, tables.deliveries, tables.attempts
    # Of several attempts of a job, one accepted came last.
    accepted_at = (
        select(func.max(attempts.c.ended_at))
        .where(attempts.c.job == record.c.job)
        .scalar_subquery()
    )
    query = (
        select(
            moments.c.reviewer,
            moments.c.rule,
            moments.c.ordinal,
            moments.c.kind,
            record.c.state,
            func.coalesce(accepted_at, record.c.updated_at).label("at"),
        )
        .join(record, record.c.job == moments.c.job)
        .where(
            moments.c.tenant == tenant,
            moments.c.campaign == campaign,
            record.c.state.in_([State.ACCEPTED, State.UNCERTAIN]),
        )
    )
    queries = (
        [query]
        if only is None
        else [query.where(moments.c.reviewer.in_(page)) for page in pages(only)]
    )
    return [
        Sent(
            reviewer=row.reviewer,
            rule=row.rule,
            ordinal=row.ordinal,
            at=row.at,
            kind=row.kind,
            accepted=row.state == State.ACCEPTED,
        )
        for each in queries
        for row in db.execute(each)
    ]


def note_planned(
    db: Db,
    kept: KeptCampaign,
    now: datetime,
    next_plan_at: datetime | None,
    *,
    removed_left: bool = False,
) -> bool:
    """Say when a campaign that was planned is looked at again; None: once somebody changes it.

    What failed of it stays said until that was tried again. `removed_left`: mails of reviewers who
    are gone are still to be withdrawn. False if it was changed since it was read: then it is due at
    once, as the change has it.
    """
    values: dict[str, Any] = {
        "next_plan_at": next_plan_at,
        "planned_at": now,
        "reviewers_removed": removed_left,
    }
    over = next_plan_at is None or next_plan_at > now
    if over and (kept.retry_at is None or kept.retry_at <= now):
        values |= {"failures": 0, "error": None, "retry_at": None}
    planned = update(_T).where(_is(kept), _T.c.changes == kept.changes).values(**values)
    return db.execute(planned).rowcount == 1


def look_again(db: Db, kept: KeptCampaign, at: datetime) -> None:
    """Have a campaign looked at by then, whatever another planner has noted of it since."""
    later = _T.c.next_plan_at.is_(None) | (_T.c.next_plan_at > at)
    db.execute(update(_T).where(_is(kept), later).values(next_plan_at=at))


def note_failed(
    db: Db,
    kept: KeptCampaign,
    error: str,
    retry_at: datetime,
    next_plan_at: datetime | None = None,
) -> None:
    """Say why some of a campaign could not be planned, and when to try again.

    `next_plan_at` is when others of it are planned, if that is before. What fails of it before the
    time to try again is no other failure.
    """
    values: dict[str, Any] = {
        "next_plan_at": min(next_plan_at or retry_at, retry_at),
        "error": error,
        "retry_at": retry_at,
    }
    if kept.retry_at != retry_at:
        values["failures"] = kept.failures + 1
    db.execute(update(_T).where(_is(kept)).values(**values))


def failing_campaigns(db: Db) -> Sequence[KeptCampaign]:
    """Campaigns that could not be planned when it was last tried."""
    query = select(_T).where(_T.c.failures > 0).order_by(_T.c.tenant, _T.c.id)
    return [read_row(dict(row)) for row in db.execute(query).mappings()]


def count_failing(db: Db) -> int:
    """How many those are."""
    query = select(func.count()).select_from(_T).where(_T.c.failures > 0)
    return int(db.execute(query).scalar_one())


def _is(kept: KeptCampaign) -> ColumnElement[bool]:
    tenant, id_ = kept.key
    return (_T.c.tenant == tenant) & (_T.c.id == id_)
