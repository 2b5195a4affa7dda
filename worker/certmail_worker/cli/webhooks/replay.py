"""`certmail webhooks replay`."""

from __future__ import annotations

from typing import Annotated

import typer

from certmail_config.admin.admin import open_admin
from certmail_config.admin.webhooks.endpoints import get_webhook
from certmail_config.admin.webhooks.running import replay_failed, replay_one, replay_since
from certmail_config.base.errors import WrongUse
from certmail_config.settings import Settings
from certmail_config.webhooks.health import SENDING
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, err, out, print_json
from certmail_worker.cli.support.times import parse_time
from certmail_worker.cli.webhooks.shown import Id


def replay(
    webhook: Id,
    message: Annotated[
        str | None, typer.Argument(metavar="[MESSAGE]", help="One message: its webhook-id.")
    ] = None,
    *,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="All that happened at this time or later (RFC 3339)."),
    ] = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="All that was given up after its last attempt.")
    ] = False,
    json: Json = False,
) -> None:
    """Send messages of a webhook again, under the same webhook-id: one, all since a time, or all that failed."""
    from_ = parse_time(since, "--since")
    if [message is not None, from_ is not None, failed].count(True) != 1:
        raise WrongUse("wrong_use", "Name one message, or --since TIME, or --failed.")

    with open_admin(Settings.from_env(), actor=actor()) as admin:
        if message is not None:
            count = replay_one(admin, webhook, message)
        elif from_ is not None:
            count = replay_since(admin, webhook, from_)
        else:
            count = replay_failed(admin, webhook)
        endpoint = get_webhook(admin, webhook)

    if json:
        return print_json({"webhook": webhook, "replayed": count})

    out.print(f"{count} messages are sent again.", markup=False)
    if endpoint.health.state not in SENDING:
        resume = f"certmail webhooks resume {webhook}"
        err.print(f"It is {endpoint.health.state}: they wait until {resume}", markup=False)
    return None
