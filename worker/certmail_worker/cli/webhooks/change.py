"""`certmail webhooks change`."""

from __future__ import annotations

from typing import Annotated

import typer

from certmail_config.admin.admin import open_admin
from certmail_config.admin.webhooks.acts import types_told
from certmail_config.admin.webhooks.changing import change_webhook
from certmail_config.base.errors import WrongUse
from certmail_config.settings import Settings
from certmail_config.webhooks.catalogue import EVERY_TYPE
from certmail_config.webhooks.health import SENDING
from certmail_config.webhooks.targets import host_of
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, err, out, print_json
from certmail_worker.cli.webhooks.shown import Id, webhook_json


def change(
    webhook: Id,
    *,
    url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Where messages are sent from now on: https://…"),
    ] = None,
    type_: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            help="A type of event, as reminder.failed; may be given several times. It is told of these, and of no other.",
        ),
    ] = None,
    every_type: Annotated[
        bool, typer.Option("--every-type", help="Every type, also those that come later.")
    ] = False,
    name: Annotated[
        str | None, typer.Option(help="What it is for, so that you know it again.")
    ] = None,
    json: Json = False,
) -> None:
    """Change where a webhook leads, what it is told of, or its name; what is not named stays. So does its secret."""
    if type_ and every_type:
        raise WrongUse("wrong_use", "Name a --type (or several), or say --every-type.")
    types = [EVERY_TYPE] if every_type else type_ or None
    if url is None and types is None and name is None:
        raise WrongUse(
            "wrong_use", "Name what is to change: --url, --type, --every-type or --name."
        )

    with open_admin(Settings.from_env(), actor=actor()) as admin:
        changed = change_webhook(admin, webhook, url=url, types=types, name=name)
    if json:
        return print_json(webhook_json(changed))

    where = host_of(changed.url)
    out.print(
        f"The webhook {changed.id} to {where} is told of {types_told(changed)}.", markup=False
    )
    if changed.health.state not in SENDING:
        resume = f"certmail webhooks resume {changed.id}"
        err.print(f"It is {changed.health.state}: nothing is sent until {resume}", markup=False)
    return None
