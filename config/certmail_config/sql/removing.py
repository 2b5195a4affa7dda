"""Removing connections and tenants from SQL.

What was done for them stays on record, without the people in it.
"""

from __future__ import annotations

from sqlalchemy import Connection as Db
from sqlalchemy import delete, update

from certmail_config.base.ids import ConnectionId
from certmail_config.sql import tables
from certmail_config.sql.api_keys import forget_tenant


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
    forget_tenant(db, tenant)
    db.execute(delete(tables.tenants).where(tables.tenants.c.id == tenant))
