"""`certmail pause` and `resume`, and `suspend` and `resume` of tenants and connections: nothing leaves for a while."""

from __future__ import annotations

from typing import Annotated

import typer

from certmail_config import stopping
from certmail_config.connections import ConnectionState, Tenant, TenantState
from certmail_config.office import Office, open_office
from certmail_config.pauses import EVERYTHING, words
from certmail_config.settings import Settings
from certmail_config.sql.pausing import read_pauses
from certmail_worker.cli.connections.identified import Id
from certmail_worker.cli.connections.shown import as_json, show_connection
from certmail_worker.cli.support.actor import actor, user
from certmail_worker.cli.support.output import Json, err, fields, out, print_json

Whose = Annotated[str | None, typer.Option("--tenant", help="Only this tenant's reminders.")]
Reason = Annotated[str | None, typer.Option(help="For the record. Else: by whom.")]
TenantId = Annotated[str, typer.Argument(metavar="TENANT", help="Its id.")]


def pause(*, tenant: Whose = None, reason: Reason = None, json: Json = False) -> None:
    """Let nothing more leave. Reminders are still taken in and wait; what is under way ends."""
    with open_office(Settings.from_env(), actor=actor()) as office:
        _pause(office, tenant, on=True, reason=reason, json=json)


def resume(*, tenant: Whose = None, reason: Reason = None, json: Json = False) -> None:
    """Let reminders leave again after `certmail pause`."""
    with open_office(Settings.from_env(), actor=actor()) as office:
        _pause(office, tenant, on=False, reason=reason, json=json)


def suspend_tenant(tenant: TenantId, *, reason: Reason = None, json: Json = False) -> None:
    """Take nothing more in for a tenant, and let nothing leave; what waits stays. See `certmail tenants resume`."""
    _set_state(tenant, TenantState.SUSPENDED, reason, json=json)


def resume_tenant(tenant: TenantId, *, reason: Reason = None, json: Json = False) -> None:
    """Take reminders in again for a suspended or paused tenant, and let what waited leave."""
    _set_state(tenant, TenantState.ACTIVE, reason, json=json)


def suspend_connection(id: Id, *, json: Json = False) -> None:  # noqa: A002 - what it is called on the command line
    """Stop a connection: its reminders wait until it is resumed. What is under way ends."""
    with open_office(Settings.from_env(), actor=actor()) as office:
        found = stopping.suspend_connection(office, id)
    return print_json(as_json(found)) if json else show_connection(found)


def resume_connection(id: Id, *, json: Json = False) -> None:  # noqa: A002 - as above
    """Try a suspended connection out and use it again; one that was not set up yet goes back to that."""
    with open_office(Settings.from_env(), actor=actor()) as office:
        found = office.connection(id)
        if found.state is not ConnectionState.DISABLED:
            err.print(f"It is not suspended: it is {found.state}.")
        elif stopping.before_it_worked(found):
            found = stopping.take_up_again(office, found)
        else:
            from certmail_worker.probe import probe_and_save  # noqa: PLC0415 - aiohttp takes a tenth of a second to import

            found = probe_and_save(office, stopping.take_up_again(office, found).id).connection
    if json:
        print_json(as_json(found))
    else:
        show_connection(found)
    if found.state is ConnectionState.ATTENTION:
        raise typer.Exit(1)


def by_whom(reason: str | None) -> str:
    """What the record says of why."""
    return reason or f"by {user()}"


def _pause(office: Office, tenant: str | None, *, on: bool, reason: str | None, json: bool) -> None:
    if tenant is None:
        changed = stopping.stop_everything(office, on=on, reason=by_whom(reason))
    else:
        changed = stopping.pause_tenant(office, tenant, on=on, reason=by_whom(reason))
    with office.db() as db:
        paused = read_pauses(db)
    if json:
        held = [{"id": name, "state": state} for name, state in paused.items() if name != EVERYTHING]
        return print_json({"changed": changed, "everything": EVERYTHING in paused, "tenants": held})
    if not changed:
        out.print("It was so before.")
    for name, state in paused.items():
        message, remedy = words(name, suspended=state is TenantState.SUSPENDED)
        out.print(f"{message} To go on: {remedy}", markup=False)
    if not paused:
        out.print("Reminders leave.")
    return None


def _set_state(tenant: str, state: TenantState, reason: str | None, *, json: bool) -> None:
    with open_office(Settings.from_env(), actor=actor()) as office:
        found, changed = stopping.set_tenant_state(office, tenant, state, by_whom(reason))
    _show(found, changed=changed, json=json)


def _show(tenant: Tenant, *, changed: bool, json: bool) -> None:
    shown = {"id": tenant.id, "name": tenant.organisation, "state": str(tenant.state), "changed": changed}
    return print_json(shown) if json else fields(list(shown.items()))
