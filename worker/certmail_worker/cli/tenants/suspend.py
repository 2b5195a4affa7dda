"""`certmail tenants suspend` and `resume`: nothing is taken in for a tenant, and nothing leaves."""

from __future__ import annotations

from certmail_config.admin import suspension
from certmail_config.admin.admin import open_admin
from certmail_config.settings import Settings
from certmail_config.tenants.models import Tenant, TenantState
from certmail_worker.cli.support.actor import Reason, actor, by_whom
from certmail_worker.cli.support.output import Json, fields, print_json
from certmail_worker.cli.tenants.options import TenantId


def suspend_tenant(tenant: TenantId, *, reason: Reason = None, json: Json = False) -> None:
    """Take nothing more in for a tenant, and let nothing leave; what waits stays.

    See `certmail tenants resume`.
    """
    _set_state(tenant, TenantState.SUSPENDED, reason, json=json)


def resume_tenant(tenant: TenantId, *, reason: Reason = None, json: Json = False) -> None:
    """Take reminders in again for a suspended or paused tenant, and let what waited leave."""
    _set_state(tenant, TenantState.ACTIVE, reason, json=json)


def _set_state(tenant: str, state: TenantState, reason: str | None, *, json: bool) -> None:
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        found, changed = suspension.set_tenant_state(admin, tenant, state, by_whom(reason))
    _show(found, changed=changed, json=json)


def _show(tenant: Tenant, *, changed: bool, json: bool) -> None:
    shown = {
        "id": tenant.id,
        "name": tenant.organisation,
        "state": str(tenant.state),
        "changed": changed,
    }
    return print_json(shown) if json else fields(list(shown.items()))
