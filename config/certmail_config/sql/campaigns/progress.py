"""News of what is left to reviewers, written in batches; an older one undoes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection as Db
from sqlalchemy import select

from certmail_config.campaigns.running.progress import (
    Progress,
    ProgressNews,
    ProgressVerdict,
    merge,
)
from certmail_config.sql import tables
from certmail_config.sql.campaigns.bulk import update_many
from certmail_config.sql.campaigns.looks import MARKED
from certmail_config.sql.campaigns.pages import pages

_T: Final = tables.campaign_reviewers
_KEY: Final = ("tenant", "campaign", "id")


@dataclass(frozen=True, slots=True)
class ProgressWritten:
    """What became of each news, in order; None: the campaign has no such reviewer.

    `known` is what is known afterwards of each reviewer that was named, `changed` of whom it is new.
    """

    verdicts: Sequence[ProgressVerdict | None]
    known: dict[str, Progress]
    changed: frozenset[str]


def write_progress(
    db: Db, tenant: str, campaign: str, news: Sequence[ProgressNews], now: datetime
) -> ProgressWritten:
    """Merge news into what is known; the campaign's row is to be held (`hold`)."""
    before = read_progress(db, tenant, campaign, [each.reviewer for each in news])
    known = dict(before)
    verdicts: list[ProgressVerdict | None] = []
    for each in news:
        if (one := known.get(each.reviewer)) is None:
            verdicts.append(None)
            continue
        known[each.reviewer], verdict = merge(one, each, now)
        verdicts.append(verdict)

    changed = frozenset(id_ for id_, one in known.items() if one != before[id_])
    rows = [_row(tenant, campaign, id_, known[id_]) for id_ in sorted(changed)]
    update_many(db, _T, _KEY, rows, MARKED)
    return ProgressWritten(verdicts, known, changed)


def read_progress(
    db: Db, tenant: str, campaign: str, reviewers: Sequence[str]
) -> dict[str, Progress]:
    """What is known of these reviewers, as far as the campaign has them."""
    columns = (_T.c.id, _T.c.pending, _T.c.completed, _T.c.progress_at, _T.c.progress_sequence)
    query = select(*columns).where(_T.c.tenant == tenant, _T.c.campaign == campaign)
    return {
        row.id: Progress(row.pending, row.completed, row.progress_at, row.progress_sequence)
        for page in pages(dict.fromkeys(reviewers))
        for row in db.execute(query.where(_T.c.id.in_(page)))
    }


def _row(tenant: str, campaign: str, id_: str, one: Progress) -> dict[str, Any]:
    return {
        "tenant": tenant,
        "campaign": campaign,
        "id": id_,
        "pending": one.pending,
        "completed": one.completed,
        "progress_at": one.at,
        "progress_sequence": one.sequence,
    }
