"""`certmail tenants remove` and `certmail connections remove`: for good, so a person is asked first."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from certmail_config.errors import WrongUse
from certmail_config.office import open_office
from certmail_config.settings import Settings
from certmail_config.sql import registry
from certmail_worker.children import termination_as_interrupt
from certmail_worker.cli.connections.identified import Id
from certmail_worker.cli.pause import TenantId, by_whom
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, err, out, print_json

if TYPE_CHECKING:
    from certmail_worker.removal import Removed
    from certmail_worker.revocation import GivenBack

Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]


def remove_connection(id: Id, *, yes: Yes = False, json: Json = False) -> None:  # noqa: A002 - what it is called on the command line
    """Remove a connection for good: its unfinished reminders are called off, and its access at Google is given back."""
    with termination_as_interrupt(), open_office(Settings.from_env(), actor=actor()) as office:
        from certmail_worker import removal  # noqa: PLC0415 - aiohttp takes a tenth of a second to import

        found = office.connection(id)
        whole = f"{found.tenant}/{found.name}"
        ask(f"Remove the connection {whole} of {found.mailbox or 'no mailbox yet'} for good?", yes=yes)
        with _resumable(f"{whole} stays suspended", f"certmail connections remove {found.id}"):
            done = removal.remove_connection(office, found, _progress)
    if json:
        [given_back] = done.given_back
        print_json(
            {
                "id": found.id,
                "tenant": found.tenant,
                "name": found.name,
                "removed": True,
                "cancelled": done.cancelled,
                "uncertain": done.uncertain,
                "access": given_back.access,
                "remedy": given_back.remedy or None,
                "remains": list(done.remains),
            }
        )
        return
    out.print(f"{whole} is removed. {done.called_off}", markup=False)
    if done.uncertain:
        message = f"Of {done.uncertain} nobody knows whether Gmail took them: certmail uncertain list --tenant {found.tenant}"
        out.print(message, markup=False)
    _show(done)


def remove_tenant(tenant: TenantId, *, yes: Yes = False, json: Json = False) -> None:
    """Remove a tenant for good, with its connections, keys and addresses. What was done for it stays on record."""
    with termination_as_interrupt(), open_office(Settings.from_env(), actor=actor()) as office:
        from certmail_worker import removal  # noqa: PLC0415 - as above

        with office.db() as db:
            registry.get_tenant(db, tenant)
            count = len(registry.list_connections(db, tenant))
        ask(f"Remove the tenant {tenant} with {count} connections, and all addresses, for good?", yes=yes)
        with _resumable(f"{tenant} stays suspended", f"certmail tenants remove {tenant}"):
            done = removal.remove_tenant(office, tenant, by_whom(None), _progress)
    if json:
        given_back = [_given_back(each) for each in done.given_back]
        print_json(
            {
                "id": tenant,
                "removed": True,
                "cancelled": done.cancelled,
                "uncertain": done.uncertain,
                "connections": given_back,
                "remains": list(done.remains),
            }
        )
        return
    out.print(f"{tenant} is removed. {done.called_off}", markup=False)
    if done.uncertain:
        out.print(f"Of {done.uncertain} nobody knows whether Gmail took them; the record says so.")
    _show(done)


def ask(question: str, *, yes: bool) -> None:
    """Go on only if a person says so; raises WrongUse where nobody can be asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise WrongUse("confirmation_missing", f"{question} Nobody can be asked here.", "Add --yes to do it.")
    if not typer.confirm(question, err=True):
        raise typer.Exit(1)


@contextmanager
def _resumable(state: str, command: str) -> Iterator[None]:
    """Say how things stand when it is interrupted."""
    try:
        yield
    except KeyboardInterrupt:
        err.print(f"\nInterrupted: {state}, and nothing of it leaves. To finish: {command}", markup=False)
        raise


_progress: Callable[[str], None] = err.print


def _show(done: Removed) -> None:
    for each in done.given_back:
        out.print(f"{each.name} ({each.mailbox or 'no mailbox'}): {each.sentence}", markup=False)
        if each.remedy:
            out.print(f"  {each.remedy}", markup=False)
    for place in done.remains:
        err.print(place, markup=False)


def _given_back(each: GivenBack) -> dict[str, Any]:
    return asdict(each) | {"remedy": each.remedy or None}
