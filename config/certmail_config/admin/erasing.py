"""Erasing connections and tenants from both stores, once their lanes are gone (working_copy_removal.py). May be done again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from certmail_config.admin.admin import Office
from certmail_config.admin.api_keys import publish_keys
from certmail_config.admin.setup_links import end_for
from certmail_config.sql import registry, removing
from certmail_config.tenants.models import DEFAULT_NAME, Connection
from certmail_config.tenants.working_copy_removal import forget_connection, withdraw_tenant


def erase_connection(office: Office, connection: Connection) -> None:
    """Erase a connection. Every tenant has one named `default`: in its place comes a new draft."""
    draft = None
    with office.db() as db:
        removing.remove_connection(db, connection.id)
        if connection.name == DEFAULT_NAME:
            draft = registry.add_connection(db, connection.tenant, DEFAULT_NAME, datetime.now(UTC))
        _forget(office, [connection])
    _forget(office, [connection])
    end_for(office.strongbox, connection.tenant, connection.name)  # made for what is gone
    if draft is not None:
        office.publisher.publish(draft)


def erase_tenant(office: Office, tenant: str, connections: Sequence[Connection]) -> None:
    """Erase a tenant with its connections, all keys, and the addresses in its record."""
    with office.db() as db:
        removing.remove_tenant(db, tenant)
        _forget(office, connections)
    _forget(office, connections)
    withdraw_tenant(office.redis, tenant)
    publish_keys(office)
    office.publisher.publish_pauses(f"the tenant {tenant} was removed")


def _forget(office: Office, connections: Sequence[Connection]) -> None:
    """Done before SQL has, so that it can all be done again if it ends there; and after, for who read SQL before may write them."""
    for each in connections:
        forget_connection(office.redis, each.tenant, each.name, each.id)
