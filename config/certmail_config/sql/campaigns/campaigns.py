"""Campaigns: what somebody wrote of each, its state, and when it is to be planned next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection as Db
from sqlalchemy import Select, delete, func, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from certmail_config.base.errors import Refused
from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.running.states import CampaignState
from certmail_config.campaigns.running.written import read_kept_campaign, write_campaign
from certmail_config.sql import tables
from certmail_config.sql.campaigns.looks import mark_campaign

_T: Final = tables.campaigns


@dataclass(frozen=True, slots=True)
class KeptCampaign:
    """A campaign as it is kept.

    `version` is of what somebody wrote and of the state; `changes` counts every change, also of
    reviewers and progress. `failures` and `error` are of planning, since it last succeeded;
    `retry_at` is when it is tried again of whom it failed.
    """

    campaign: Campaign
    state: CampaignState
    version: int
    changes: int
    next_plan_at: datetime | None
    planned_at: datetime | None
    failures: int
    error: str | None
    retry_at: datetime | None
    reviewers_removed: bool
    created_at: datetime
    changed_at: datetime

    @property
    def key(self) -> tuple[str, str]:
        """Its tenant, and its id there."""
        return self.campaign.tenant, self.campaign.id


def find_campaign(db: Db, tenant: str, id_: str) -> KeptCampaign | None:
    """One campaign; None where there is none."""
    if not _askable(tenant, id_):
        return None
    found = _read(db, select(_T).where(_T.c.tenant == tenant, _T.c.id == id_))
    return found[0] if found else None


def get_campaign(db: Db, tenant: str, id_: str) -> KeptCampaign:
    """One campaign; raises Refused."""
    found = find_campaign(db, tenant, id_)
    if found is None:
        raise unknown_campaign(tenant, id_)
    return found


def list_campaigns(
    db: Db,
    tenants: frozenset[str] | None = None,
    after: tuple[str, str] = ("", ""),
    limit: int | None = None,
) -> list[KeptCampaign]:
    """Campaigns by tenant and id, those after one; of these tenants, None means all."""
    query = select(_T).where(tuple_(_T.c.tenant, _T.c.id) > after)
    if tenants is not None:
        query = query.where(_T.c.tenant.in_(sorted(tenants)))
    return _read(db, query.order_by(_T.c.tenant, _T.c.id).limit(limit))


def running_of_tenant(db: Db, tenant: str) -> list[KeptCampaign]:
    """A tenant's campaigns whose reviewers are reminded: their mails of one day become one."""
    running = (_T.c.tenant == tenant) & (_T.c.state == CampaignState.RUNNING)
    return _read(db, select(_T).where(running).order_by(_T.c.id))


def add_campaign(db: Db, campaign: Campaign, now: datetime) -> bool:
    """Keep a new campaign, to be planned at once; says whether there was none of its id."""
    row = {
        "tenant": campaign.tenant,
        "id": campaign.id,
        "state": CampaignState.RUNNING,
        "version": 1,
        "changes": 1,
        "next_plan_at": now,
        "failures": 0,
        "created_at": now,
        "changed_at": now,
    }
    try:
        with db.begin_nested():
            db.execute(insert(_T).values(**row, **_body(campaign)))
    except IntegrityError:
        return False
    return True


def change_campaign(db: Db, campaign: Campaign, now: datetime) -> None:
    """Write what somebody changed of a campaign, to be planned at once; its state stays."""
    _write(db, campaign.tenant, campaign.id, now, _body(campaign))


def set_state(db: Db, tenant: str, id_: str, state: CampaignState, now: datetime) -> None:
    """Let a campaign run, pause or stop; the planner looks at once."""
    _write(db, tenant, id_, now, {"state": state})


def hold(db: Db, tenant: str, id_: str) -> None:
    """Take a campaign's row until the end of the transaction: others who change it wait.

    To be called before its reviewers or their progress are read to be changed. Raises Refused.
    """
    _change(db, tenant, id_, {"changes": _T.c.changes})


def held(db: Db, tenant: str, id_: str) -> KeptCampaign | None:
    """One campaign, whose row is taken as `hold` does; None where there is none."""
    try:
        hold(db, tenant, id_)
    except Refused:
        return None
    return find_campaign(db, tenant, id_)


def touch(db: Db, tenant: str, id_: str, now: datetime) -> None:
    """Have all of a campaign planned at once, for something of it has changed; holds it, too.

    Raises Refused.
    """
    touch_some(db, tenant, id_, now)
    mark_campaign(db, tenant, id_)


def touch_some(db: Db, tenant: str, id_: str, now: datetime) -> None:
    """Have those of a campaign's reviewers planned at once who are marked; holds it, too.

    Raises Refused.
    """
    _change(db, tenant, id_, {"changes": _T.c.changes + 1, "next_plan_at": now})


def remove_campaign(db: Db, tenant: str, id_: str) -> None:
    """Remove a campaign with its reviewers, and what was planned for it; the record stays."""
    for table in (tables.campaign_moments, tables.campaign_reviewers):
        db.execute(delete(table).where(table.c.tenant == tenant, table.c.campaign == id_))
    db.execute(delete(_T).where(_T.c.tenant == tenant, _T.c.id == id_))


def forget_tenant_in_campaigns(db: Db, tenant: str) -> None:
    """Remove all campaigns of a tenant."""
    for table in (tables.campaign_moments, tables.campaign_reviewers, _T):
        db.execute(delete(table).where(table.c.tenant == tenant))


def count_campaigns(db: Db) -> dict[CampaignState, int]:
    """How many are in each state."""
    query = select(_T.c.state, func.count()).group_by(_T.c.state)
    found = {CampaignState(state): count for state, count in db.execute(query)}
    return {state: found.get(state, 0) for state in CampaignState}


def unknown_campaign(tenant: str, id_: str) -> Refused:
    """There is none of that id."""
    return Refused(
        "unknown_campaign",
        f"There is no campaign {id_!r} of {tenant!r}.",
        "See `certmail campaign show`.",
    )


def _body(campaign: Campaign) -> dict[str, Any]:
    return {"body": write_campaign(campaign), "connection": campaign.connection}


def _write(db: Db, tenant: str, id_: str, now: datetime, values: dict[str, Any]) -> None:
    changed = {
        "version": _T.c.version + 1,
        "changes": _T.c.changes + 1,
        "next_plan_at": now,
        "changed_at": now,
    }
    _change(db, tenant, id_, values | changed)
    mark_campaign(db, tenant, id_)


def _change(db: Db, tenant: str, id_: str, values: dict[str, Any]) -> None:
    where = (_T.c.tenant == tenant) & (_T.c.id == id_)
    changing = update(_T).where(where).values(**values)
    if not _askable(tenant, id_) or db.execute(changing).rowcount != 1:
        raise unknown_campaign(tenant, id_)


def _askable(*names: str) -> bool:
    """Whether a database can even be asked for something of these names."""
    try:
        return "\0" not in "".join(names).encode().decode()
    except UnicodeEncodeError:  # bytes of a command line that are no text
        return False


def _read(db: Db, query: Select[Any]) -> list[KeptCampaign]:
    return [read_row(dict(row)) for row in db.execute(query).mappings()]


def read_row(row: dict[str, Any]) -> KeptCampaign:
    """The campaign of a row of the table."""
    return KeptCampaign(
        campaign=read_kept_campaign(row["body"]),
        state=CampaignState(row["state"]),
        **{name: row[name] for name in _AS_THEY_ARE},
    )


_AS_THEY_ARE: Final = (
    "version", "changes", "next_plan_at", "planned_at", "failures", "error", "retry_at", "reviewers_removed",
    "created_at", "changed_at",
)  # fmt: skip
