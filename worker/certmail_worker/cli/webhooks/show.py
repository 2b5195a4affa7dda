"""`certmail webhooks show`."""

from __future__ import annotations

from typing import Annotated

import typer

from certmail_config.admin.admin import open_admin
from certmail_config.admin.webhooks.acts import types_told
from certmail_config.admin.webhooks.endpoints import NEWEST, view_webhook
from certmail_config.settings import Settings
from certmail_worker.cli.support.output import Json, fields, out, print_json, table
from certmail_worker.cli.webhooks.shown import Id, kept_json, webhook_json, whose


def show(
    webhook: Id,
    *,
    limit: Annotated[
        int, typer.Option(min=0, max=1000, help="So many of its newest messages.")
    ] = NEWEST,
    json: Json = False,
) -> None:
    """Show one webhook: its state and why, what waits for it, and its newest messages."""
    with open_admin(Settings.from_env()) as admin:
        found = view_webhook(admin, webhook, limit)
    endpoint, kept = found.endpoint, found.kept
    if json:
        return print_json(
            {**webhook_json(endpoint), "kept": kept_json(kept), "messages": list(found.newest)}
        )

    health = endpoint.health
    fields(
        [
            ("id", endpoint.id),
            ("name", endpoint.name),
            ("url", endpoint.url),
            ("tenants", whose(endpoint)),
            ("types", types_told(endpoint)),
            ("state", f"{health.state} ({health.code})" if health.code else health.state),
            ("since", health.since),
            ("last failure", endpoint.error),
            ("failing since", health.failing_since),
            ("not before", health.next_at),
            ("last success", health.succeeded_at),
            ("secret before signs until", endpoint.previous_until),
            ("kept", f"{kept.waiting} waiting, {kept.delivered} delivered, {kept.failed} failed"),
        ]
    )
    if found.newest:
        out.print()
        shown = ("id", "type", "state", "attempts", "due_at", "status", "error")
        table(shown, [[row[name] for name in shown] for row in found.newest])
    return None
