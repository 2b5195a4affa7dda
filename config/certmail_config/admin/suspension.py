"""Stopping and going on, as an operator asks for it: the deployment, a tenant, a connection.

SQL first, then Redis.
"""

from __future__ import annotations

from dataclasses import replace

from certmail_config.admin.admin import Admin
from certmail_config.base import redis_keys
from certmail_config.base.errors import Refused
from certmail_config.ledger import Act
from certmail_config.sql import registry
from certmail_config.sql.pausing import pause_everything, read_pauses
from certmail_config.tenants.models import (
    Connection,
    ConnectionState,
    Tenant,
    TenantState,
)
from certmail_config.tenants.pauses import EVERYTHING


def stop_everything(admin: Admin, *, on: bool, reason: str) -> bool:
    """Let nothing more leave, or let it leave again; gives whether that was a change.

    What is under way ends.
    """
    with admin.db() as db:
        registry.deployment_salt(db)  # makes the row that says so
        changed = (EVERYTHING in read_pauses(db)) is not on
        pause_everything(db, on=on)
    admin.projector.publish_pauses(reason)
    return changed


def pause_tenant(admin: Admin, tenant: str, *, on: bool, reason: str) -> bool:
    """Let nothing of one tenant leave, or let it leave again.

    Raises Refused for one that is suspended, which is more than paused.
    """
    with admin.db() as db:
        if registry.get_tenant(db, tenant).state == TenantState.SUSPENDED:
            remedy = (
                f"To take reminders in and let them leave again: certmail tenants resume {tenant}"
            )
            raise Refused("tenant_suspended", f"The tenant {tenant!r} is suspended.", remedy)

    return set_tenant_state(
        admin, tenant, TenantState.PAUSED if on else TenantState.ACTIVE, reason
    )[1]


def set_tenant_state(
    admin: Admin, tenant: str, state: TenantState, reason: str
) -> tuple[Tenant, bool]:
    """Suspend a tenant, or have it go on; gives it, and whether that was a change.

    Raises Refused.
    """
    with admin.db() as db:
        found = registry.get_tenant(db, tenant)
        changed = found.state != state
        if changed:
            found = registry.change_tenant(db, tenant, {"state": state})
        connections = registry.list_connections(db, tenant)

    if state is TenantState.ACTIVE:
        for each in connections:
            if not admin.redis.exists(redis_keys.LANE_INFO + each.id):  # its removal had begun
                admin.projector.publish(each)

    admin.projector.publish_tenant(found, connections)
    admin.projector.publish_pauses(reason)
    return found, changed


def suspend_connection(admin: Admin, id_or_name: str) -> Connection:
    """Stop a connection's lane: its reminders wait. Raises Refused."""
    found = admin.connection(id_or_name)
    if found.state is ConnectionState.DISABLED:
        return found

    saved = admin.save(
        replace(
            found,
            state=ConnectionState.DISABLED,
            code="connection_disabled",
            message=f"The connection {found.name!r} of {found.tenant} is suspended by an operator.",
            remedy=f"certmail connections resume {found.id}",
        )
    )
    # A lane that was open says so itself.
    if found.state is not ConnectionState.ACTIVE:
        admin.record(Act.CONNECTION_SUSPENDED, found.tenant, connection=found.id)
    return saved


def lift_suspension(admin: Admin, connection: Connection) -> Connection:
    """Let a suspended connection be what it was; one that worked needs to be tried out first.

    Raises Refused.
    """
    state = connection.before_it_worked()
    if state is not None:
        lifted = replace(connection, state=state, code=None, message=None, remedy=None)
    else:
        message = f"The connection {connection.name!r} of {connection.tenant} was resumed, but not tried out yet."
        remedy = f"certmail connections probe {connection.id}"
        lifted = connection.failing("connection_resumed", message, remedy)

    saved = admin.save(lifted)
    admin.record(Act.CONNECTION_RESUMED, saved.tenant, connection=saved.id)
    return saved
