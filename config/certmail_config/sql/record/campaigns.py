"""The campaigns of which something was enqueued last, for whoever would rather choose than type."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import Connection as Db
from sqlalchemy import func, select

from certmail_config.sql import tables
from certmail_config.sql.deliveries import Filter
from certmail_config.sql.totals import asked

LOOKED_AT: Final = 5_000
"""Of so many deliveries, the newest, the campaigns are taken."""


class CampaignName(NamedTuple):
    """A campaign's name is its tenant's own: two may have the same."""

    tenant: str
    campaign: str


def recent_campaigns(db: Db, wanted: Filter, *, limit: int) -> list[CampaignName]:
    """Those of what is asked for, the newest first."""
    record = tables.deliveries.c
    newest = (
        select(record.tenant, record.campaign, record.enqueued_at)
        .where(*asked(wanted))
        .order_by(record.enqueued_at.desc(), record.job.desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    key = (newest.c.tenant, newest.c.campaign)
    query = (
        select(*key)
        .where(newest.c.campaign.is_not(None))
        .group_by(*key)
        .order_by(func.max(newest.c.enqueued_at).desc(), *key)
        .limit(limit)
    )
    return [CampaignName(row.tenant, row.campaign) for row in db.execute(query)]
