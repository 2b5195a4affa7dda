"""`certmail status`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from certmail import Mailer
from certmail_config import keys
from certmail_config.errors import Refused, SealBroken
from certmail_config.ids import ConnectionId
from certmail_config.ledger.view import JobView
from certmail_config.settings import Settings
from certmail_config.stores import vault_keys
from certmail_config.vault import Vault
from certmail_config.working_copy import read_connection
from certmail_worker.cli.output import Json, out, print_json, table
from certmail_worker.cli.output import fields as show_fields


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("status")(status)


def status(
    job: Annotated[str, typer.Argument(metavar="JOB", help="The id from the receipt.")], *, json: Json = False
) -> None:
    """Show where a reminder is, why, and what was tried."""
    settings = Settings.from_env()
    with Mailer.from_env(settings, proven=False) as mailer:
        view = mailer.status(job)
        if view is None:
            raise Refused(
                "unknown_job",
                f"There is no job {job}, or it was forgotten {settings.dedupe_days} days after it ended.",
            )
        mailbox = _mailbox(mailer, view, settings)
    value = {**asdict(view), "mailbox": mailbox}
    if json:
        return print_json(value)
    attempts = value.pop("attempts")
    show_fields([(name.replace("_", " "), item) for name, item in value.items() if item not in {None, False}])
    if attempts:
        out.print()
        table(list(attempts[0]), [list(attempt.values()) for attempt in attempts])
    return None


def _mailbox(mailer: Mailer, view: JobView, settings: Settings) -> str | None:
    """The address, where this process has the vault's keys; a producer has not."""
    configured = vault_keys(settings)
    if not configured:
        return None
    connection = ConnectionId(view.connection)
    try:
        fields: Any = mailer.redis.hgetall(keys.CONNECTION + connection)
        found = read_connection(fields, connection, Vault(configured))
    except SealBroken:
        return None
    return found.mailbox if found else None
