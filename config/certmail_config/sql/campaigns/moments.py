"""Mails that were planned: each by its identity, with the job that stands for it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection as Db
from sqlalchemy import Select, func, select

from certmail_config.campaigns.cadence import Kind
from certmail_config.campaigns.running.states import MomentState
from certmail_config.sql import tables
from certmail_config.sql.campaigns.bulk import insert_many, update_many
from certmail_config.sql.campaigns.pages import pages

_T: Final = tables.campaign_moments


class MomentId(NamedTuple):
    """Which mail of its campaign it is."""

    reviewer: str
    rule: str
    ordinal: int


class KeptMoment(NamedTuple):
    """A planned mail as it is kept.

    `digest` is the hash of what was planned, `generation` how often another job took the place of
    one that was withdrawn. Mails that went as one have the same `job`.
    """

    id: MomentId
    at: datetime
    kind: Kind
    digest: str
    generation: int
    job: str | None
    state: MomentState
    outcome: str | None = None


def load_moments(
    db: Db, tenant: str, campaign: str, states: Collection[MomentState] | None = None
) -> dict[MomentId, KeptMoment]:
    """The planned mails of a campaign, all or those in some states."""
    query = _of(tenant, campaign)
    if states is not None:
        query = query.where(_T.c.state.in_(sorted(states)))
    found = (_moment(row) for row in db.execute(query))
    return {each.id: each for each in found}


def moments_of_reviewers(
    db: Db, tenant: str, campaign: str, reviewers: Iterable[str]
) -> list[KeptMoment]:
    """The planned mails about these reviewers."""
    query = _of(tenant, campaign)
    return [
        _moment(row)
        for page in pages(reviewers)
        for row in db.execute(query.where(_T.c.reviewer.in_(page)))
    ]


def write_moments(
    db: Db,
    tenant: str,
    campaign: str,
    moments: Sequence[KeptMoment],
    known: Collection[MomentId] | None = None,
) -> None:
    """Write planned mails in bulk: those that are there are replaced, the others added.

    The campaign's row is to be held (`hold`, or the planner's own transaction): two that write
    one mail at once would collide. Whoever has read since then which are there says it (`known`).
    """
    if known is None:
        people = dict.fromkeys(each.id.reviewer for each in moments)
        known = {each.id for each in moments_of_reviewers(db, tenant, campaign, people)}
    old = [_row(tenant, campaign, each) for each in moments if each.id in known]
    new = [_row(tenant, campaign, each) for each in moments if each.id not in known]
    update_many(db, _T, _KEY, old)
    insert_many(db, _T, new)


def note_ends(db: Db, tenant: str, campaign: str, moments: Iterable[KeptMoment]) -> None:
    """Write what became of the jobs of planned mails.

    A mail for which another job stands by now stays as it is: nothing need be held.
    """
    ended = [
        {
            "tenant": tenant,
            "campaign": campaign,
            **each.id._asdict(),
            "job": each.job,
            "state": each.state,
            "outcome": each.outcome,
        }
        for each in moments
    ]
    update_many(db, _T, (*_KEY, "job"), ended)


def newest_ordinals(db: Db, tenant: str, campaign: str, rule: str) -> dict[str, int]:
    """The highest number of a rule's mails, by reviewer."""
    where = (_T.c.tenant == tenant) & (_T.c.campaign == campaign) & (_T.c.rule == rule)
    query = select(_T.c.reviewer, func.max(_T.c.ordinal)).where(where).group_by(_T.c.reviewer)
    return {str(reviewer): int(ordinal) for reviewer, ordinal in db.execute(query)}


def count_moments(db: Db, tenant: str, campaign: str) -> dict[MomentState, int]:
    """How many planned mails of a campaign are in each state."""
    where = (_T.c.tenant == tenant) & (_T.c.campaign == campaign)
    query = select(_T.c.state, func.count()).where(where).group_by(_T.c.state)
    found = {MomentState(state): count for state, count in db.execute(query)}
    return {state: found.get(state, 0) for state in MomentState}


_STATES: Final[Mapping[str, MomentState]] = {str(each): each for each in MomentState}
_KEY: Final = ("tenant", "campaign", "reviewer", "rule", "ordinal")
_VALUES: Final = ("at", "kind", "digest", "generation", "job", "state", "outcome")


def _of(tenant: str, campaign: str) -> Select[Any]:
    return select(_T).where(_T.c.tenant == tenant, _T.c.campaign == campaign)


def _row(tenant: str, campaign: str, each: KeptMoment) -> dict[str, Any]:
    values = {name: getattr(each, name) for name in _VALUES}
    return {"tenant": tenant, "campaign": campaign, **each.id._asdict(), **values}


def _moment(row: Any) -> KeptMoment:
    return KeptMoment(
        MomentId(row.reviewer, row.rule, row.ordinal),
        row.at,
        row.kind,
        row.digest,
        row.generation,
        row.job,
        _STATES[row.state],
        row.outcome,
    )
