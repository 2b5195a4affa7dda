"""`certmail webhooks add`."""

from __future__ import annotations

from typing import Annotated

import typer

from certmail_config.admin.admin import open_admin
from certmail_config.admin.webhooks.acts import types_told
from certmail_config.admin.webhooks.endpoints import add_webhook
from certmail_config.base.errors import WrongUse
from certmail_config.settings import Settings
from certmail_config.sql.webhooks.endpoints import EVERY_TENANT
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, err, out, print_json
from certmail_worker.cli.webhooks.shown import webhook_json, whose


def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where messages are sent: https://…")],
    *,
    tenant: Annotated[
        list[str] | None,
        typer.Option(help="A tenant whose events it is told; may be given several times."),
    ] = None,
    every_tenant: Annotated[
        bool, typer.Option("--every-tenant", help="All tenants, also those that come later.")
    ] = False,
    type_: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            help="A type of event, as reminder.failed; may be given several times. Not given: every type.",
        ),
    ] = None,
    name: Annotated[str, typer.Option(help="What it is for, so that you know it again.")] = "",
    json: Json = False,
) -> None:
    """Tell an address what becomes of reminders from now on. The secret that signs it is shown once."""
    if bool(tenant) == every_tenant:
        raise WrongUse("wrong_use", "Name a --tenant (or several), or say --every-tenant.")

    with open_admin(Settings.from_env(), actor=actor()) as admin:
        made, secret = add_webhook(
            admin, url, tenants=tenant or [EVERY_TENANT], types=type_ or (), name=name
        )

    if json:
        return print_json({**webhook_json(made), "secret": secret})

    err.print(f"The webhook {made.id}: {types_told(made)}, of {whose(made)}.", markup=False)
    err.print(f"Try it out: certmail webhooks test {made.id}", markup=False)
    err.print("Its secret is shown this once:")
    out.print(secret, markup=False)
    return None
