"""What an operator has paused, in SQL: the source that Redis is brought up to date with."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection as Db
from sqlalchemy import select, update

from certmail_config.sql import tables
from certmail_config.tenants.models import TenantState
from certmail_config.tenants.pauses import EVERYTHING


def read_pauses(db: Db) -> Mapping[str, TenantState]:
    """The tenants of which nothing is to leave, and why.

    EVERYTHING is among them if nothing is to leave at all.
    """
    tenants = tables.tenants.c
    query = select(tenants.id, tenants.state).where(tenants.state != TenantState.ACTIVE)
    found = {str(id_): TenantState(state) for id_, state in db.execute(query)}
    paused = db.execute(select(tables.deployment.c.paused)).scalar_one_or_none()
    return {EVERYTHING: TenantState.PAUSED, **found} if paused else found


def pause_everything(db: Db, *, on: bool) -> None:
    """Note whether anything may leave; the deployment's row must be there."""
    db.execute(update(tables.deployment).values(paused=on))


def take_turns(db: Db) -> None:
    """Until this transaction ends, nobody else comes past here: what is read now is what holds."""
    db.execute(update(tables.deployment).values(paused=tables.deployment.c.paused))
