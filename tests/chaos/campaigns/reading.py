"""Reading what is there after a storm of campaigns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import func, select

from certmail_config.jobs.states import State
from certmail_config.sql import tables
from chaos import reading
from chaos.campaigns.facts import JobRow, PlannedRow
from support.deployment.deployment import Deployment

UNDER_WAY: Final = frozenset({State.READY, State.DISPATCHED, State.SENDING})
_SOON: Final = timedelta(minutes=5)


def planned(place: Deployment) -> list[PlannedRow]:
    """Every planned mail."""
    table = tables.campaign_moments.c
    columns = [getattr(table, name) for name in PlannedRow._fields]
    with place.admin.db() as db:
        return [PlannedRow(*row) for row in db.execute(select(*columns))]


def jobs(place: Deployment) -> dict[str, JobRow]:
    """Every job, as the record has it."""
    table = tables.deliveries.c
    query = select(table.job, table.campaign, table.kind, table.state, table.reason)
    with place.admin.db() as db:
        return {
            row.job: JobRow(row.campaign, row.kind, row.state, row.reason or "")
            for row in db.execute(query)
        }


def addresses(place: Deployment, mailboxes: Sequence[str]) -> dict[str, str]:
    """To whom each job's mail went, of those that arrived."""
    return {
        str(each["certmail_id"]): str(each["to"])
        for mailbox in mailboxes
        for each in place.control("GET", f"/messages?mailbox={mailbox}")
    }


def left_today(place: Deployment) -> int:
    """How much is still to be planned, or to leave today."""
    now = datetime.now(UTC)
    table = tables.campaigns.c
    with place.admin.db() as db:
        due = select(func.count()).select_from(tables.campaigns).where(table.next_plan_at <= now)
        unplanned = int(db.execute(due).scalar_one())
    states = [each.state for each in reading.ledger(place.admin.redis).values()]
    return unplanned + sum(state in UNDER_WAY for state in states)


def left_to_plan(place: Deployment) -> int:
    """How many campaigns the planner is to look at within minutes, or has mails not noted of."""
    with place.admin.db() as db:
        query = select(func.count()).select_from(tables.campaigns)
        soon = tables.campaigns.c.next_plan_at <= datetime.now(UTC) + _SOON
        return int(db.execute(query.where(soon)).scalar_one())


def tenants_of_jobs(place: Deployment) -> dict[str, str]:
    """The tenant of each job, by the record."""
    table = tables.deliveries.c
    with place.admin.db() as db:
        return {row.job: row.tenant for row in db.execute(select(table.job, table.tenant))}
