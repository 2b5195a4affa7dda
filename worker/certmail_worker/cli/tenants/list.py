"""`certmail tenants list`."""

from __future__ import annotations

from certmail_config.admin.admin import open_admin
from certmail_config.settings import Settings
from certmail_config.sql import registry
from certmail_config.tenants.domains import domains_of
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, print_json, table


def list_(*, json: Json = False) -> None:
    """List the tenants."""
    with open_admin(Settings.from_env(), actor=actor()) as admin, admin.db() as db:
        tenants = registry.list_tenants(db)
        connections = registry.list_connections(db)

    rows = [
        {
            "id": tenant.id,
            "name": tenant.organisation,
            "state": tenant.state,
            "uncertain": tenant.uncertain,
            "domains": domains_of(tenant),
            "connections": sum(c.tenant == tenant.id for c in connections),
        }
        for tenant in tenants
    ]
    if json:
        return print_json({"tenants": rows})

    headings = ["tenant", "name", "state", "uncertain", "domains", "connections"]
    shown = [
        row | {"domains": ", ".join(domains_of(tenant))}
        for row, tenant in zip(rows, tenants, strict=True)
    ]
    table(headings, [list(row.values()) for row in shown])

    return None
