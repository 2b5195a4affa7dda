"""Removing connections and tenants from SQL.

What was done for them stays on record, without the people in it.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice
from typing import Any, Final

from sqlalchemy import Column, delete, select, update
from sqlalchemy import Connection as Db

from certmail_config.base.ids import ConnectionId
from certmail_config.sql import tables
from certmail_config.sql.api_keys import forget_tenant
from certmail_config.sql.campaigns.campaigns import forget_tenant_in_campaigns
from certmail_config.sql.webhooks.endpoints import forget_tenant_in_webhooks

_PAGE: Final = 500
"""So many ids are asked about at once: SQLite and PostgreSQL take some ten thousands at most."""


def remove_connection(db: Db, connection: ConnectionId) -> None:
    """Remove a connection, with its keys."""
    db.execute(delete(tables.connections).where(tables.connections.c.id == connection))


def remove_tenant(db: Db, tenant: str) -> None:
    """Remove a tenant and its connections, with all keys, and the addresses in its record.

    Deliveries, attempts and events stay as evidence, but nobody can be told from them.
    """
    record = tables.deliveries
    db.execute(update(record).where(record.c.tenant == tenant).values(recipient=None, mailbox=None))
    db.execute(delete(tables.connections).where(tables.connections.c.tenant == tenant))
    db.execute(delete(tables.templates).where(tables.templates.c.tenant == tenant))
    forget_tenant_in_campaigns(db, tenant)
    forget_tenant(db, tenant)
    forget_tenant_in_webhooks(db, tenant)
    db.execute(delete(tables.tenants).where(tables.tenants.c.id == tenant))


def left_of(db: Db, connections: Collection[ConnectionId]) -> set[ConnectionId]:
    """Those of these connections that nobody has removed."""
    return {ConnectionId(id_) for id_ in _found(db, tables.connections.c.id, connections)}


def tenants_left_of(db: Db, tenants: Collection[str]) -> set[str]:
    """Those of these tenants that nobody has removed."""
    return _found(db, tables.tenants.c.id, tenants)


def _found(db: Db, column: Column[Any], ids: Collection[str]) -> set[str]:
    rest, found = iter(ids), set()
    while page := list(islice(rest, _PAGE)):
        found |= set(db.execute(select(column).where(column.in_(page))).scalars())
    return found
