"""`certmail connections remove`: for good, so a person is asked first."""

from __future__ import annotations

from certmail_config.admin.admin import open_admin
from certmail_config.settings import Settings
from certmail_worker.cli.connections.options import Id
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.for_good import Yes, ask, resumable, show_removed
from certmail_worker.cli.support.output import Json, err, out, print_json
from certmail_worker.processes.children import termination_as_interrupt


# `id` is what it is called on the command line.
def remove_connection(id: Id, *, yes: Yes = False, json: Json = False) -> None:  # noqa: A002
    """Remove a connection for good.

    Its unfinished reminders are called off, and its access at Google is given back.
    """
    with termination_as_interrupt(), open_admin(Settings.from_env(), actor=actor()) as admin:
        # aiohttp takes a tenth of a second to import.
        from certmail_worker.connections import removal  # noqa: PLC0415

        found = admin.connection(id)
        whole = f"{found.tenant}/{found.name}"
        ask(
            f"Remove the connection {whole} of {found.mailbox or 'no mailbox yet'} for good?",
            yes=yes,
        )
        with resumable(f"{whole} stays suspended", f"certmail connections remove {found.id}"):
            done = removal.remove_connection(admin, found, err.print)

    if json:
        [ended_access] = done.ended_access
        print_json(
            {
                "id": found.id,
                "tenant": found.tenant,
                "name": found.name,
                "removed": True,
                "cancelled": done.cancelled,
                "uncertain": done.uncertain,
                "access": ended_access.access,
                "remedy": ended_access.remedy or None,
                "remains": list(done.remains),
            }
        )
        return

    out.print(f"{whole} is removed. {done.called_off}", markup=False)
    if done.uncertain:
        message = f"Of {done.uncertain} nobody knows whether Gmail took them: certmail uncertain list --tenant {found.tenant}"
        out.print(message, markup=False)
    show_removed(done)
