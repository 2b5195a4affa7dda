"""`certmail tenants history`: what happened to a tenant and its connections, and who did it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from certmail_config.settings import Settings
from certmail_config.sql import registry
from certmail_config.sql.engine import reachable, ready_database
from certmail_config.sql.history import read_history
from certmail_worker.cli.support.output import Json, err, print_json, table


def history(
    tenant: Annotated[
        str, typer.Argument(metavar="TENANT", help="Its id; `*`: what was done to all of them.")
    ],
    *,
    limit: Annotated[
        int, typer.Option(min=1, max=10_000, help="At most so many, the newest first.")
    ] = 100,
    json: Json = False,
) -> None:
    """Tell what happened to a tenant and its connections, and who did it, the newest first."""
    with ready_database(Settings.from_env()) as engine, reachable(engine), engine.connect() as db:
        found = read_history(db, tenant, limit=limit + 1)
        names = {str(each.id): each.name for each in registry.list_connections(db, tenant)}

    more, found = len(found) > limit, found[:limit]
    if json:
        return print_json({"history": [asdict(each) for each in found], "more": more})

    rows = [
        (
            each.at,
            each.type,
            names.get(each.connection or "", each.connection),
            each.reason,
            each.by,
        )
        for each in found
    ]
    table(["at", "type", "connection", "reason", "by"], rows)
    if more:
        err.print(f"\nThere are more. See them with: --limit {limit * 10}", markup=False)
    return None
