"""`certmail connections show`."""

from __future__ import annotations

from certmail_config.admin.admin import open_admin
from certmail_config.settings import Settings
from certmail_config.status.lane_status import at_once
from certmail_config.status.lane_waits import waits
from certmail_config.tenants.models import DEFAULT_NAME, ConnectionState
from certmail_worker.cli.connections.options import Id
from certmail_worker.cli.connections.shown import as_json, show_connection, shown_wait
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, out, print_json


# `id` is what it is called on the command line.
def show(id: Id, *, json: Json = False) -> None:  # noqa: A002
    """Show one connection: its state, what it waits for, and what to do if it does not work."""
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        found = admin.connection(id)
        fewer, wait = at_once(admin.redis, found.id), waits(admin.redis, [found.id]).get(found.id)

    if json:
        return print_json(as_json(found) | {"waits": shown_wait(wait), "in_flight_now": fewer})

    show_connection(found)
    if found.state is ConnectionState.DRAFT:
        other = "" if found.name == DEFAULT_NAME else f" --name {found.name}"
        out.print(
            f"\n`certmail connections setup-link {found.tenant}{other}` makes a link that leads "
            "through its set-up; so does the console.",
            markup=False,
        )
    if wait is not None:
        out.print(f"\n{wait.sentence}", markup=False)

    if fewer is not None:
        out.print(
            f"\nFor now {fewer} of {found.limits.in_flight} requests at once: Gmail said that more are too many for this mailbox. "
            "Every five minutes without that there may be one more."
        )

    return None
