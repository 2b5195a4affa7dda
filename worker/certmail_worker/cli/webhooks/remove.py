"""`certmail webhooks remove`."""

from __future__ import annotations

from certmail_config.admin.admin import open_admin
from certmail_config.admin.webhooks.endpoints import remove_webhook, view_webhook
from certmail_config.settings import Settings
from certmail_config.webhooks.targets import host_of
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.for_good import Yes, ask
from certmail_worker.cli.support.output import Json, out, print_json
from certmail_worker.cli.webhooks.shown import Id, webhook_json


def remove(webhook: Id, *, yes: Yes = False, json: Json = False) -> None:
    """Remove a webhook for good, with its secret and what waits for it."""
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        found = view_webhook(admin, webhook, 0)
        host, waiting = host_of(found.endpoint.url), found.kept.waiting
        ask(f"Remove the webhook to {host}, for which {waiting} messages wait?", yes=yes)
        removed = remove_webhook(admin, webhook)
    if json:
        return print_json(webhook_json(removed))

    out.print(f"The webhook {removed.id} to {host} is removed.", markup=False)
    return None
