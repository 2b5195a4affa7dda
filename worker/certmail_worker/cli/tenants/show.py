"""`certmail tenants show`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from certmail_config.admin.admin import open_admin
from certmail_config.settings import Settings
from certmail_config.tenants.domains import domains_of
from certmail_config.tenants.state_labels import WORDS
from certmail_worker.cli.connections.shown import as_json
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, fields, out, print_json, table
from certmail_worker.cli.tenants.options import domains_in_words
from certmail_worker.connections.tenant_summary import TenantSummary, summarise


def show(tenant: Annotated[str, typer.Argument(help="Its id.")], *, json: Json = False) -> None:
    """Show a tenant: its connections, how many reminders wait, and what needs attention."""
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        seen = summarise(admin, tenant)
    if json:
        return print_json(_as_json(seen))

    rule = seen.tenant.uncertain or "the deployment's"
    named = [
        ("tenant", seen.tenant.id),
        ("name", seen.tenant.organisation),
        ("state", seen.tenant.state),
    ]
    named += [
        ("sends from", domains_in_words(seen.tenant)),
        ("questions to", seen.reply_to or "nobody"),
    ]

    fields(
        [
            *named,
            ("unknown outcomes", rule),
            ("waiting", seen.waiting),
            ("uncertain", seen.uncertain),
        ]
    )
    out.print()
    table(
        ["connection", "kind", "state", "mailbox", "waiting", "id"],
        [
            [c.name, c.kind, WORDS[c.state], c.mailbox, waiting, c.id]
            for c, waiting in seen.connections
        ],
    )
    for item in seen.attention:
        out.print(f"\n{item.about}: {item.message}\n  {item.remedy}", markup=False)
    return None


def _as_json(seen: TenantSummary) -> dict[str, object]:
    return {
        "id": seen.tenant.id,
        "name": seen.tenant.organisation,
        "state": seen.tenant.state,
        "uncertain": seen.tenant.uncertain,
        "reply_to": seen.reply_to,
        "domains": domains_of(seen.tenant),
        "connections": [
            as_json(found) | {"waiting": waiting} for found, waiting in seen.connections
        ],
        "waiting": seen.waiting,
        "unsettled": seen.uncertain,
        "attention": [asdict(item) for item in seen.attention],
    }
