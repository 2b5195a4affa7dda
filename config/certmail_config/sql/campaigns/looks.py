"""When each reviewer is to be planned next, and who is to be planned with them.

Whoever changes something of a reviewer marks them, in the same transaction: so a change of one
plans no other. The campaign's row is held meanwhile (`hold`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, except_, func, select, update
from sqlalchemy import Connection as Db

from certmail_config.campaigns.applying.next_look import CampaignReviewer
from certmail_config.campaigns.running.states import MomentState
from certmail_config.sql import tables
from certmail_config.sql.campaigns.bulk import update_many
from certmail_config.sql.campaigns.pages import pages

_T: Final = tables.campaign_reviewers
_CAMPAIGNS: Final = tables.campaigns
_MOMENTS: Final = tables.campaign_moments
AT_ONCE: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""When somebody is planned of whom something has changed: before all others."""
MARKED: Final = {"plan_at": AT_ONCE, "changes": _T.c.changes + 1}
"""What is written of a reviewer of whom something changes."""
STANDING: Final = (MomentState.PLANNED, MomentState.ENQUEUED)


class ReviewerLook(NamedTuple):
    """A reviewer who is planned now; `plan_at` and `changes` as they were when they were read."""

    campaign: str
    id: str
    person: str
    plan_at: datetime | None
    changes: int


def due_reviewers(
    db: Db, tenant: str, campaign: str, now: datetime, limit: int
) -> list[ReviewerLook]:
    """Reviewers of a campaign to be planned by now, those first of whom something has changed."""
    due = _of(tenant, campaign) & (_T.c.plan_at <= now)
    return _read(db, _looks(tenant).where(due).order_by(_T.c.plan_at).limit(limit))


def reviewers_of_people(db: Db, tenant: str, people: Iterable[str]) -> list[ReviewerLook]:
    """Whoever of a tenant's reviewers has one of these addresses, in whichever campaign."""
    return [
        each
        for page in pages(people)
        for each in _read(db, _looks(tenant).where(_T.c.person.in_(page)))
    ]


def named_reviewers(db: Db, tenant: str, campaign: str, ids: Iterable[str]) -> list[ReviewerLook]:
    """These reviewers of a campaign, as far as it has them."""
    of_campaign = _looks(tenant).where(_T.c.campaign == campaign)
    return [each for page in pages(ids) for each in _read(db, of_campaign.where(_T.c.id.in_(page)))]


def reviewers_of_jobs(db: Db, jobs: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Campaign and reviewer of whatever stands behind these jobs."""
    query = select(_MOMENTS.c.campaign, _MOMENTS.c.reviewer).distinct()
    for page in pages(jobs):
        for row in db.execute(query.where(_MOMENTS.c.job.in_(page))):
            yield row.campaign, row.reviewer


def gone_reviewers(db: Db, tenant: str, campaign: str, limit: int) -> list[str]:
    """Who is no longer in a campaign, and has mails there that were not withdrawn."""
    mailed = select(_MOMENTS.c.reviewer).where(
        _MOMENTS.c.tenant == tenant,
        _MOMENTS.c.campaign == campaign,
        _MOMENTS.c.state.in_(STANDING),
    )
    # Without statistics PostgreSQL would look for each of them among all.
    gone = except_(mailed, select(_T.c.id).where(_of(tenant, campaign))).subquery()
    return list(
        db.execute(select(gone.c.reviewer).order_by(gone.c.reviewer).limit(limit)).scalars()
    )


def next_look(db: Db, tenant: str, campaign: str) -> datetime | None:
    """When the next reviewer of a campaign is to be planned; None where nobody is."""
    found: datetime | None = db.execute(
        select(func.min(_T.c.plan_at)).where(_of(tenant, campaign), _T.c.plan_at.is_not(None))
    ).scalar_one()
    return found


def note_looks(
    db: Db,
    tenant: str,
    planned: Sequence[ReviewerLook],
    looks: Mapping[str, datetime | None],
    *,
    unsure: Collection[str] = (),
) -> None:
    """Say when reviewers of a campaign are planned next, but of whom something has changed since.

    Another planner may have planned that meanwhile, and noted when it looks next: those of whom it
    is `unsure` what became of a mail are looked at no later than said here.
    """
    if not planned:
        return
    [campaign] = {each.campaign for each in planned}
    named = named_reviewers(db, tenant, campaign, [each.id for each in planned])
    now = {each.id: each for each in named}
    rows = [
        {"tenant": tenant, "campaign": campaign, "id": each.id, "plan_at": looks.get(each.id)}
        for each in planned
        if (found := now.get(each.id)) is not None
        and (found == each or (each.id in unsure and _is_later(found.plan_at, looks.get(each.id))))
    ]
    update_many(db, _T, ("tenant", "campaign", "id"), rows)


def _is_later(noted: datetime | None, than: datetime | None) -> bool:
    return than is not None and (noted is None or noted > than)


def changed_since(
    db: Db, tenant: str, reviewers: Iterable[CampaignReviewer], seen: Mapping[CampaignReviewer, int]
) -> set[CampaignReviewer]:
    """Of whom something has changed since they were read, or of all of their campaign.

    `seen` has their `changes` then; who is not in it was none of the campaign's.
    """
    by_campaign: defaultdict[str, set[str]] = defaultdict(set)
    for campaign, id_ in reviewers:
        by_campaign[campaign].add(id_)
    changed: set[CampaignReviewer] = set()
    for campaign, ids in sorted(by_campaign.items()):
        named = named_reviewers(db, tenant, campaign, sorted(ids))
        now = {each.id: each.changes for each in named}
        changed |= {(campaign, id_) for id_ in ids if now.get(id_) != seen.get((campaign, id_))}
    return changed


def mark_reviewers(db: Db, tenant: str, campaign: str, ids: Iterable[str]) -> None:
    """Have these reviewers planned at once."""
    for page in pages(ids):
        _mark(db, _of(tenant, campaign) & _T.c.id.in_(page))


def mark_campaign(db: Db, tenant: str, campaign: str) -> None:
    """Have all reviewers of a campaign planned at once."""
    _mark(db, _of(tenant, campaign))


def mark_people(db: Db, tenant: str, people: Collection[str], but: str) -> None:
    """Have people planned at once in the other campaigns than one: there may be room for a mail."""
    others = [each for each in reviewers_of_people(db, tenant, people) if each.campaign != but]
    for campaign in sorted({each.campaign for each in others}):
        mark_reviewers(db, tenant, campaign, [e.id for e in others if e.campaign == campaign])


def note_removed(db: Db, tenant: str, campaign: str) -> None:
    """Say that reviewers are gone whose mails may wait."""
    where = (_CAMPAIGNS.c.tenant == tenant) & (_CAMPAIGNS.c.id == campaign)
    db.execute(update(_CAMPAIGNS).where(where).values(reviewers_removed=True))


def _mark(db: Db, where: ColumnElement[bool]) -> None:
    db.execute(update(_T).where(where).values(MARKED))


def _of(tenant: str, campaign: str) -> ColumnElement[bool]:
    return (_T.c.tenant == tenant) & (_T.c.campaign == campaign)


def _looks(tenant: str) -> Select[Any]:
    columns = (_T.c.campaign, _T.c.id, _T.c.person, _T.c.plan_at, _T.c.changes)
    return select(*columns).where(_T.c.tenant == tenant)


def _read(db: Db, query: Select[Any]) -> list[ReviewerLook]:
    return [ReviewerLook(*row) for row in db.execute(query)]
