"""Tenants and connections that pages and access control look up by name. Reading blocks."""

from __future__ import annotations

from sqlalchemy import Connection as Db
from sqlalchemy import select

from certmail.gateway.console.context import ConsoleContext
from certmail_config.base.errors import Refused
from certmail_config.sql import registry, tables
from certmail_config.tenants.models import Connection, Tenant


def tenant_of(context: ConsoleContext, tenant: str) -> Tenant:
    """A tenant by its id; raises Refused for an unknown one."""
    with context.admin.db() as db:
        return registry.get_tenant(db, tenant)


def connection_named(context: ConsoleContext, tenant: str, name: str) -> Connection | None:
    """A tenant's connection by its name, None where there is none yet.

    Raises Refused for an unknown tenant.
    """
    with context.admin.db() as db:
        registry.get_tenant(db, tenant)
        return registry.find_connection(db, tenant, name)


def first_tenants(db: Db, limit: int) -> tuple[str, ...]:
    """The ids of some tenants, for whoever begins to type one."""
    ids = tables.tenants.c.id
    return tuple(db.execute(select(ids).order_by(ids).limit(limit)).scalars())


def organisation_of(db: Db, tenant: str) -> str:
    """What a tenant is called; its id where it is removed, and only its record is left."""
    try:
        return registry.get_tenant(db, tenant).organisation
    except Refused:
        return tenant
