"""`certmail webhooks list`."""

from __future__ import annotations

from certmail_config.admin.admin import open_admin
from certmail_config.admin.webhooks.acts import types_told
from certmail_config.admin.webhooks.endpoints import list_webhooks
from certmail_config.settings import Settings
from certmail_worker.cli.support.output import Json, print_json, table
from certmail_worker.cli.webhooks.shown import webhook_json, whose


def list_(*, json: Json = False) -> None:
    """List the webhooks, with their states."""
    with open_admin(Settings.from_env()) as admin:
        found = list_webhooks(admin)
    if json:
        return print_json({"webhooks": [webhook_json(each) for each in found]})

    rows = [
        (each.id, each.name, each.url, each.health.state, whose(each), types_told(each))
        for each in found
    ]
    return table(["id", "name", "url", "state", "tenants", "types"], rows)
