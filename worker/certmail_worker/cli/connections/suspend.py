"""`certmail connections suspend` and `resume`: nothing of one mailbox leaves for a while."""

from __future__ import annotations

import typer

from certmail_config.admin import suspension
from certmail_config.admin.admin import open_admin
from certmail_config.settings import Settings
from certmail_config.tenants.models import ConnectionState
from certmail_worker.cli.connections.options import Id
from certmail_worker.cli.connections.shown import as_json, show_connection
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, err, print_json


# `id` is what it is called on the command line.
def suspend_connection(id: Id, *, json: Json = False) -> None:  # noqa: A002
    """Stop a connection: its reminders wait until it is resumed. What is under way ends."""
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        found = suspension.suspend_connection(admin, id)
    return print_json(as_json(found)) if json else show_connection(found)


def resume_connection(id: Id, *, json: Json = False) -> None:  # noqa: A002
    """Try a suspended connection out and use it again.

    One that was not set up yet goes back to that.
    """
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        found = admin.connection(id)
        if found.state is not ConnectionState.DISABLED:
            err.print(f"It is not suspended: it is {found.state}.")
        elif found.before_it_worked():
            found = suspension.lift_suspension(admin, found)
        else:
            # aiohttp takes a tenth of a second to import.
            from certmail_worker.connections.probe import probe_and_save  # noqa: PLC0415

            found = probe_and_save(admin, suspension.lift_suspension(admin, found).id).connection

    if json:
        print_json(as_json(found))
    else:
        show_connection(found)

    if found.state is ConnectionState.ATTENTION:
        raise typer.Exit(1)
