"""`certmail tenants remove`: for good, so a person is asked first."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from certmail_config.admin.admin import open_admin
from certmail_config.settings import Settings
from certmail_config.sql import registry
from certmail_worker.cli.support.actor import actor, by_whom
from certmail_worker.cli.support.for_good import Yes, ask, resumable, show_removed
from certmail_worker.cli.support.output import Json, err, out, print_json
from certmail_worker.cli.tenants.options import TenantId
from certmail_worker.processes.children import termination_as_interrupt

if TYPE_CHECKING:
    from certmail_worker.connections.revocation import EndedAccess


def remove_tenant(tenant: TenantId, *, yes: Yes = False, json: Json = False) -> None:
    """Remove a tenant for good, with its connections, keys and addresses.

    What was done for it stays on record.
    """
    with termination_as_interrupt(), open_admin(Settings.from_env(), actor=actor()) as admin:
        # aiohttp takes a tenth of a second to import.
        from certmail_worker.connections import removal  # noqa: PLC0415

        with admin.db() as db:
            registry.get_tenant(db, tenant)
            count = len(registry.list_connections(db, tenant))
        ask(
            f"Remove the tenant {tenant} with {count} connections, and all addresses, for good?",
            yes=yes,
        )
        with resumable(f"{tenant} stays suspended", f"certmail tenants remove {tenant}"):
            done = removal.remove_tenant(admin, tenant, by_whom(None), err.print)

    if json:
        ended_access = [_as_json(each) for each in done.ended_access]
        print_json(
            {
                "id": tenant,
                "removed": True,
                "cancelled": done.cancelled,
                "uncertain": done.uncertain,
                "connections": ended_access,
                "remains": list(done.remains),
            }
        )
        return

    out.print(f"{tenant} is removed. {done.called_off}", markup=False)
    if done.uncertain:
        out.print(f"Of {done.uncertain} nobody knows whether Gmail took them; the record says so.")
    show_removed(done)


def _as_json(each: EndedAccess) -> dict[str, Any]:
    return asdict(each) | {"remedy": each.remedy or None}
