"""`certmail webhooks rotate`."""

from __future__ import annotations

from typing import Annotated

import typer

from certmail_config.admin.admin import open_admin
from certmail_config.admin.webhooks.running import (
    MAX_OVERLAP_HOURS,
    OVERLAP_HOURS,
    rotate_webhook,
)
from certmail_config.base.dates import moment
from certmail_config.settings import Settings
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, err, out, print_json
from certmail_worker.cli.webhooks.shown import Id, webhook_json


def rotate(
    webhook: Id,
    *,
    hours: Annotated[
        int,
        typer.Option(
            min=0, max=MAX_OVERLAP_HOURS, help="For so long the secret before signs as well."
        ),
    ] = OVERLAP_HOURS,
    json: Json = False,
) -> None:
    """Make another secret for a webhook, shown once. The one before signs as well for a day."""
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        changed, secret = rotate_webhook(admin, webhook, hours=hours)
    if json:
        return print_json({**webhook_json(changed), "secret": secret})

    until = moment(changed.previous_until) if changed.previous_until else "now"
    err.print(f"The secret before signs as well until {until}.", markup=False)
    err.print("The new one is shown this once:")
    out.print(secret, markup=False)
    return None
