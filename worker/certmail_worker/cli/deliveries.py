"""`certmail deliveries`."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy import select

from certmail_config.settings import Settings
from certmail_config.sql import tables
from certmail_config.sql.engine import check_version, open_database, reachable, upgrade
from certmail_config.states import State
from certmail_config.stores import database_url
from certmail_worker.cli.output import Json, print_json, table

_COLUMNS = (
    "job",
    "tenant",
    "campaign",
    "kind",
    "recipient",
    "mailbox",
    "state",
    "reason",
    "held",
    "possible_duplicate",
    "enqueued_at",
    "updated_at",
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="The record of what was delivered.")
    group.command("list")(list_)
    group.callback()(lambda: None)  # a group, although it has one command so far
    app.add_typer(group, name="deliveries")


def list_(
    *,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None,
    campaign: Annotated[str | None, typer.Option(help="Only this campaign's.")] = None,
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the newest first.")] = 100,
    json: Json = False,
) -> None:
    """List deliveries from the record, the newest first."""
    settings = Settings.from_env()
    engine = open_database(database_url(settings))
    if settings.database_url is None:
        upgrade(engine)
    else:
        check_version(engine)
    columns = [tables.deliveries.c[name] for name in _COLUMNS]
    query = select(*columns).order_by(tables.deliveries.c.job.desc()).limit(limit)
    for column, value in (("tenant", tenant), ("campaign", campaign), ("state", state)):
        if value is not None:
            query = query.where(tables.deliveries.c[column] == value)
    with reachable(engine), engine.connect() as db:
        rows = [dict(row) for row in db.execute(query).mappings()]
    engine.dispose()
    if json:
        return print_json({"deliveries": rows})
    shown = ("job", "tenant", "recipient", "state", "reason", "updated_at")
    table(shown, [[row[name] for name in shown] for row in rows])
    return None
