"""`certmail pause` and `resume`: nothing leaves for a while, of all tenants or of one."""

from __future__ import annotations

from typing import Annotated

import typer

from certmail_config.admin import suspension
from certmail_config.admin.admin import Admin, open_admin
from certmail_config.settings import Settings
from certmail_config.sql.pausing import read_pauses
from certmail_config.tenants.models import TenantState
from certmail_config.tenants.pauses import EVERYTHING, describe_pause
from certmail_worker.cli.support.actor import Reason, actor, by_whom
from certmail_worker.cli.support.output import Json, out, print_json

Whose = Annotated[str | None, typer.Option("--tenant", help="Only this tenant's reminders.")]


def pause(*, tenant: Whose = None, reason: Reason = None, json: Json = False) -> None:
    """Let nothing more leave. Reminders are still taken in and wait; what is under way ends."""
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        _pause(admin, tenant, on=True, reason=reason, json=json)


def resume(*, tenant: Whose = None, reason: Reason = None, json: Json = False) -> None:
    """Let reminders leave again after `certmail pause`."""
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        _pause(admin, tenant, on=False, reason=reason, json=json)


def _pause(admin: Admin, tenant: str | None, *, on: bool, reason: str | None, json: bool) -> None:
    if tenant is None:
        changed = suspension.stop_everything(admin, on=on, reason=by_whom(reason))
    else:
        changed = suspension.pause_tenant(admin, tenant, on=on, reason=by_whom(reason))

    with admin.db() as db:
        paused = read_pauses(db)
    if json:
        held = [
            {"id": name, "state": state} for name, state in paused.items() if name != EVERYTHING
        ]
        return print_json({"changed": changed, "everything": EVERYTHING in paused, "tenants": held})

    if not changed:
        out.print("It was so before.")

    for name, state in paused.items():
        message, remedy = describe_pause(name, suspended=state is TenantState.SUSPENDED)
        out.print(f"{message} To go on: {remedy}", markup=False)

    if not paused:
        out.print("Reminders leave.")
    return None
