"""`certmail connections list`."""

from __future__ import annotations

from typing import Annotated

import typer

from certmail_config.admin.admin import open_admin
from certmail_config.settings import Settings
from certmail_config.sql import registry
from certmail_config.status.lane_waits import waits
from certmail_config.tenants.state_labels import WORDS
from certmail_worker.cli.connections.shown import as_json, shown_wait, until
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, out, print_json, table


def list_(
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None,
    *,
    json: Json = False,
) -> None:
    """List the connections, with their states."""
    with open_admin(Settings.from_env(), actor=actor()) as admin, admin.db() as db:
        found = registry.list_connections(db, tenant)
        waiting = waits(admin.redis, [connection.id for connection in found])

    if json:
        return print_json(
            {"connections": [as_json(c) | {"waits": shown_wait(waiting.get(c.id))} for c in found]}
        )

    table(
        ["id", "tenant", "name", "kind", "state", "mailbox", "code", "waits until"],
        [
            [
                c.id,
                c.tenant,
                c.name,
                c.kind,
                WORDS[c.state],
                c.mailbox,
                c.code,
                until(waiting.get(c.id)),
            ]
            for c in found
        ],
    )

    for connection in found:
        if connection.id in waiting:
            name = f"{connection.tenant}/{connection.name}"
            out.print(f"\n{name}: {waiting[connection.id].sentence}", markup=False)

    return None
