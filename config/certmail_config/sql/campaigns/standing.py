"""How campaigns and their reviewers stand, as lists show them: each answer is of one page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, func, or_, select, tuple_
from sqlalchemy import Connection as Db

from certmail_config.campaigns.applying.identity import BY_HAND
from certmail_config.campaigns.reviewer import Reviewer
from certmail_config.campaigns.running.states import MomentState
from certmail_config.jobs.states import State
from certmail_config.sql import tables
from certmail_config.sql.campaigns.seals import ReviewerSeals

_REVIEWERS: Final = tables.campaign_reviewers
_MOMENTS: Final = tables.campaign_moments
_TO_COME: Final = (MomentState.PLANNED, MomentState.ENQUEUED)
_LEFT: Final = (State.ACCEPTED, State.UNCERTAIN)


class CampaignStanding(NamedTuple):
    """Reviewers and who of them is done; how many mails wait as jobs, and when the first leaves."""

    reviewers: int = 0
    complete: int = 0
    mails: int = 0
    first_at: datetime | None = None


class LastMail(NamedTuple):
    """The mail that went to a reviewer last, or may have."""

    at: datetime
    kind: str
    job: str
    state: State


def standings(db: Db, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], CampaignStanding]:
    """How each of these campaigns stands, by tenant and id."""
    complete = func.count().filter(_REVIEWERS.c.pending == 0)
    counted = select(_REVIEWERS.c.tenant, _REVIEWERS.c.campaign, func.count(), complete)
    coming = select(_MOMENTS.c.tenant, _MOMENTS.c.campaign, func.count(), func.min(_MOMENTS.c.at))
    people = {
        (tenant, campaign): (number, done)
        for tenant, campaign, number, done in db.execute(
            counted.where(tuple_(_REVIEWERS.c.tenant, _REVIEWERS.c.campaign).in_(keys)).group_by(
                _REVIEWERS.c.tenant, _REVIEWERS.c.campaign
            )
        )
    }
    mails = {
        (tenant, campaign): (number, first)
        for tenant, campaign, number, first in db.execute(
            coming.where(
                tuple_(_MOMENTS.c.tenant, _MOMENTS.c.campaign).in_(keys),
                _MOMENTS.c.state.in_(_TO_COME),
            ).group_by(_MOMENTS.c.tenant, _MOMENTS.c.campaign)
        )
    }
    return {
        key: CampaignStanding(*people.get(key, (0, 0)), *mails.get(key, (0, None))) for key in keys
    }


def reviewers_in_part(
    db: Db,
    seals: ReviewerSeals,
    campaign: str,
    after: str,
    limit: int,
    *,
    done: bool | None = None,
) -> list[Reviewer]:
    """The next reviewers after one, by id: all, those who are done, or those who are not.

    Raises SealBroken.
    """
    columns = _REVIEWERS.c
    query = select(columns.id, columns.sealed, columns.pending, columns.completed).where(
        _of(seals.tenant, campaign), columns.id > after
    )
    if done is not None:
        left = or_(columns.pending.is_(None), columns.pending != 0)
        query = query.where(columns.pending == 0 if done else left)
    return [
        seals.open(campaign, row.id, row.sealed, row.pending, row.completed)
        for row in db.execute(query.order_by(columns.id).limit(limit))
    ]


def last_mails(
    db: Db, tenant: str, campaign: str, reviewers: Collection[str]
) -> dict[str, LastMail]:
    """The mail about each of these reviewers that left last, by reviewer."""
    record = tables.deliveries
    query = (
        select(
            _MOMENTS.c.reviewer,
            _MOMENTS.c.kind,
            record.c.job,
            record.c.state,
            record.c.updated_at,
        )
        .join(record, record.c.job == _MOMENTS.c.job)
        .where(
            _MOMENTS.c.tenant == tenant,
            _MOMENTS.c.campaign == campaign,
            _MOMENTS.c.reviewer.in_(reviewers),
            record.c.state.in_(_LEFT),
        )
        .order_by(record.c.updated_at, record.c.job)
    )
    return {
        row.reviewer: LastMail(row.updated_at, row.kind, row.job, State(row.state))
        for row in db.execute(query)
    }


def asked_by_hand(db: Db, tenant: str, campaign: str, reviewers: Collection[str]) -> frozenset[str]:
    """Who of these is to get a mail that somebody asked for by hand, and that has not left yet."""
    query = select(_MOMENTS.c.reviewer).where(
        _MOMENTS.c.tenant == tenant,
        _MOMENTS.c.campaign == campaign,
        _MOMENTS.c.reviewer.in_(reviewers),
        _MOMENTS.c.rule == BY_HAND,
        _MOMENTS.c.state.in_(_TO_COME),
    )
    return frozenset(db.execute(query).scalars())


def same_people(
    db: Db, tenant: str, campaign: str, reviewers: Collection[str], elsewhere: str
) -> Sequence[str]:
    """Who of another campaign of the tenant, or of the same, has the address of one of these."""
    wanted = select(_REVIEWERS.c.person).where(
        _of(tenant, campaign), _REVIEWERS.c.id.in_(reviewers)
    )
    query = select(_REVIEWERS.c.id).where(_of(tenant, elsewhere), _REVIEWERS.c.person.in_(wanted))
    return list(db.execute(query.order_by(_REVIEWERS.c.id)).scalars())


def reviewers_of_running(db: Db, tenant: str) -> int:
    """How many reviewers the tenant's running campaigns have in all."""
    kept = tables.campaigns
    running = select(kept.c.id).where(kept.c.tenant == tenant, kept.c.state == "running")
    query = select(func.count()).where(
        _REVIEWERS.c.tenant == tenant, _REVIEWERS.c.campaign.in_(running)
    )
    return int(db.execute(query).scalar_one())


def _of(tenant: str, campaign: str) -> ColumnElement[bool]:
    return (_REVIEWERS.c.tenant == tenant) & (_REVIEWERS.c.campaign == campaign)
