"""Erasing connections and tenants from both stores. May be done again.

Their lanes are gone before (working_copy_removal.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from certmail_config.admin.admin import Admin
from certmail_config.admin.api_keys import publish_keys
from certmail_config.admin.setup_links import end_for
from certmail_config.sql import registry, removing
from certmail_config.tenants.models import DEFAULT_NAME, Connection
from certmail_config.tenants.working_copy_removal import forget_connection, withdraw_tenant


def erase_connection(admin: Admin, connection: Connection) -> None:
    """Erase a connection. Every tenant has one named `default`: in its place comes a new draft."""
    draft = None

    with admin.db() as db:
        removing.remove_connection(db, connection.id)
        if connection.name == DEFAULT_NAME:
            draft = registry.add_connection(db, connection.tenant, DEFAULT_NAME, datetime.now(UTC))
        _forget(admin, [connection])

    _forget(admin, [connection])
    end_for(admin.strongbox, connection.tenant, connection.name)  # made for what is gone
    if draft is not None:
        admin.projector.publish(draft)


def erase_tenant(admin: Admin, tenant: str, connections: Sequence[Connection]) -> None:
    """Erase a tenant with its connections, all keys, and the addresses in its record."""
    with admin.db() as db:
        removing.remove_tenant(db, tenant)
        _forget(admin, connections)
    _forget(admin, connections)
    withdraw_tenant(admin.redis, tenant)
    publish_keys(admin)
    admin.projector.publish_pauses(f"the tenant {tenant} was removed")


def _forget(admin: Admin, connections: Sequence[Connection]) -> None:
    """Forget in Redis what waits for connections.

    It is done before SQL has erased them, so that it can all be done again if it ends there; and
    after, for who read SQL before may write it again.
    """
    for each in connections:
        forget_connection(admin.redis, each.tenant, each.name, each.id)
