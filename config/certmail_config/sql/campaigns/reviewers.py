"""The reviewers of a campaign: lists of them, page by page, and reading them again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy import Connection as Db

from certmail_config.campaigns.reviewer import Reviewer
from certmail_config.sql import tables
from certmail_config.sql.campaigns.bulk import insert_many, update_many
from certmail_config.sql.campaigns.looks import (
    AT_ONCE,
    MARKED,
    mark_people,
    note_removed,
)
from certmail_config.sql.campaigns.pages import pages
from certmail_config.sql.campaigns.seals import ReviewerSeals

_T: Final = tables.campaign_reviewers
_KEY: Final = ("tenant", "campaign", "id")


@dataclass(frozen=True, slots=True)
class PageWritten:
    """What became of a page of reviewers: their ids.

    `added` and `changed` are those of whom something is new; `kept` have progress that was reported
    of itself, so that what the page says is left to them does not count; of those who are
    `readdressed` mails go to another address from now on.
    """

    added: Sequence[str]
    changed: Sequence[str]
    unchanged: Sequence[str]
    kept: Sequence[str]
    readdressed: Sequence[str]


def load_reviewers(
    db: Db, seals: ReviewerSeals, campaign: str, only: Iterable[str] | None = None
) -> list[Reviewer]:
    """A campaign's reviewers by id, all or those named; raises SealBroken."""
    query = (
        select(_T.c.id, _T.c.sealed, _T.c.pending, _T.c.completed)
        .where(_of(seals.tenant, campaign))
        .order_by(_T.c.id)
    )
    queries = [query] if only is None else [query.where(_T.c.id.in_(page)) for page in pages(only)]
    return [
        seals.open(campaign, row.id, row.sealed, row.pending, row.completed)
        for each in queries
        for row in db.execute(each)
    ]


def ids_of_reviewers(db: Db, tenant: str, campaign: str) -> list[str]:
    """The ids of all reviewers of a campaign."""
    return list(
        db.execute(select(_T.c.id).where(_of(tenant, campaign)).order_by(_T.c.id)).scalars()
    )


def ids_of_person(db: Db, tenant: str, campaign: str, person: str) -> list[str]:
    """Who of a campaign's reviewers has an address; `person` as `ReviewerSeals.person` has it."""
    query = select(_T.c.id).where(_of(tenant, campaign), _T.c.person == person)
    return list(db.execute(query.order_by(_T.c.id)).scalars())


def page_of_reviewers(
    db: Db, seals: ReviewerSeals, campaign: str, after: str, limit: int
) -> list[Reviewer]:
    """The next reviewers after one, by id; raises SealBroken."""
    query = (
        select(_T.c.id, _T.c.sealed, _T.c.pending, _T.c.completed)
        .where(_of(seals.tenant, campaign), _T.c.id > after)
        .order_by(_T.c.id)
        .limit(limit)
    )
    return [
        seals.open(campaign, row.id, row.sealed, row.pending, row.completed)
        for row in db.execute(query)
    ]


def write_page(
    db: Db,
    seals: ReviewerSeals,
    campaign: str,
    reviewers: Sequence[Reviewer],
    roster: str | None = None,
) -> PageWritten:
    """Add reviewers, and change those that are there already; nobody is removed.

    Each id stands once. `roster` is the list that they are in (`others_than`). The campaign's row
    is to be held (`hold`).
    """
    known = _known(db, seals.tenant, campaign, [each.id for each in reviewers])
    page = [
        _compared(each, seals.fingerprint(each), seals.person(each.to), known.get(each.id))
        for each in reviewers
    ]

    tenant = seals.tenant
    new = [_row(seals, campaign, each, roster) for each in page if each.new]
    records = [_record(seals, campaign, each) for each in page if each.record]
    counts = [_counts(tenant, campaign, each.reviewer) for each in page if each.counts]
    insert_many(db, _T, new)
    update_many(db, _T, _KEY, records, MARKED)
    update_many(db, _T, _KEY, counts, MARKED)
    mark_people(db, tenant, {each.before for each in page if each.before}, campaign)

    if roster is not None:
        note_roster(db, tenant, campaign, known, roster)
    return PageWritten(
        added=[each.reviewer.id for each in page if each.new],
        changed=[each.reviewer.id for each in page if each.record or each.counts],
        unchanged=[
            each.reviewer.id for each in page if not (each.new or each.record or each.counts)
        ],
        kept=[each.reviewer.id for each in page if each.kept],
        readdressed=[each.reviewer.id for each in page if each.before],
    )


class _Compared(NamedTuple):
    """A reviewer of a page beside what is kept of them: what is to be written, and what is not."""

    reviewer: Reviewer
    fingerprint: str
    person: str
    new: bool = False
    record: bool = False
    counts: bool = False
    kept: bool = False
    before: str | None = None
    """The person who had their mail, where it is another one now."""


def _compared(reviewer: Reviewer, fingerprint: str, person: str, known: Any) -> _Compared:
    if known is None:
        return _Compared(reviewer, fingerprint, person, new=True)

    # A list that does not say what is left says nothing new of it.
    told = (reviewer.pending, reviewer.completed)
    moved = told not in {(None, None), (known.pending, known.completed)}
    return _Compared(
        reviewer,
        fingerprint,
        person,
        record=known.fingerprint != fingerprint,
        counts=moved and not known.reported,
        kept=moved and known.reported,
        before=known.person if known.person != person else None,
    )


def _known(db: Db, tenant: str, campaign: str, ids: Iterable[str]) -> dict[str, Any]:
    reported = _T.c.progress_at.is_not(None) | _T.c.progress_sequence.is_not(None)
    query = select(
        _T.c.id,
        _T.c.fingerprint,
        _T.c.person,
        _T.c.pending,
        _T.c.completed,
        reported.label("reported"),
    ).where(_of(tenant, campaign))
    return {
        row.id: row for page in pages(ids) for row in db.execute(query.where(_T.c.id.in_(page)))
    }


def note_roster(db: Db, tenant: str, campaign: str, ids: Iterable[str], roster: str) -> None:
    """Say that reviewers are in a list; who is not there yet does not come to be."""
    for page in pages(ids):
        where = _of(tenant, campaign) & _T.c.id.in_(page)
        db.execute(update(_T).where(where).values(roster=roster))


def others_than(db: Db, tenant: str, campaign: str, roster: str) -> list[str]:
    """Who is not in a list."""
    query = select(_T.c.id).where(_of(tenant, campaign), _T.c.roster.is_distinct_from(roster))
    return list(db.execute(query.order_by(_T.c.id)).scalars())


def remove_reviewers(db: Db, tenant: str, campaign: str, ids: Collection[str]) -> list[str]:
    """Remove reviewers; gives those who were there. What went to them stays on record."""
    found: dict[str, str] = {}
    for page in pages(ids):
        where = _of(tenant, campaign) & _T.c.id.in_(page)
        removing = delete(_T).where(where).returning(_T.c.id, _T.c.person)
        found |= {row.id: row.person for row in db.execute(removing)}

    if found:
        note_removed(db, tenant, campaign)
        mark_people(db, tenant, set(found.values()), campaign)
    return sorted(found)


@dataclass(frozen=True, slots=True)
class ReviewerCounts:
    """How many reviewers a campaign has, how many are done, and what is left in all."""

    reviewers: int
    complete: int
    pending: int
    completed: int


def count_reviewers(db: Db, tenant: str, campaign: str) -> ReviewerCounts:
    """Count them."""
    done = func.count().filter(_T.c.pending == 0)
    sums = (func.coalesce(func.sum(column), 0) for column in (_T.c.pending, _T.c.completed))
    row = db.execute(select(func.count(), done, *sums).where(_of(tenant, campaign))).one()
    return ReviewerCounts(*(int(each) for each in row))


def _of(tenant: str, campaign: str) -> ColumnElement[bool]:
    return (_T.c.tenant == tenant) & (_T.c.campaign == campaign)


def _key(tenant: str, campaign: str, each: Reviewer) -> dict[str, Any]:
    return {"tenant": tenant, "campaign": campaign, "id": each.id}


def _counts(tenant: str, campaign: str, each: Reviewer) -> dict[str, Any]:
    news = {"pending": each.pending, "completed": each.completed}
    return _key(tenant, campaign, each) | news


def _record(seals: ReviewerSeals, campaign: str, each: _Compared) -> dict[str, Any]:
    return _key(seals.tenant, campaign, each.reviewer) | _sealed(seals, campaign, each)


def _row(
    seals: ReviewerSeals, campaign: str, each: _Compared, roster: str | None
) -> dict[str, Any]:
    reviewer = each.reviewer
    return _record(seals, campaign, each) | {
        "roster": roster,
        "plan_at": AT_ONCE,
        "pending": reviewer.pending,
        "completed": reviewer.completed,
    }


def _sealed(seals: ReviewerSeals, campaign: str, each: _Compared) -> dict[str, Any]:
    return {
        "sealed": seals.seal(campaign, each.reviewer),
        "fingerprint": each.fingerprint,
        "person": each.person,
    }
