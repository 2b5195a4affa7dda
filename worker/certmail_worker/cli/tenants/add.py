"""`certmail tenants add`."""

from __future__ import annotations

from typing import Annotated

import typer

from certmail_config.admin.admin import open_admin
from certmail_config.settings import Settings
from certmail_config.tenants.domains import domains_of
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, fields, print_json
from certmail_worker.cli.tenants.options import DOMAIN, REPLY_TO, UNCERTAIN


def add(
    tenant: Annotated[str, typer.Argument(help="Its id: lower-case letters, digits and hyphens.")],
    *,
    name: Annotated[
        str, typer.Option(help="What its reviewers know it as; else its id stands in the mails.")
    ] = "",
    uncertain: Annotated[str | None, UNCERTAIN] = None,
    domain: Annotated[list[str] | None, DOMAIN] = None,
    reply_to: Annotated[str, REPLY_TO] = "",
    json: Json = False,
) -> None:
    """Add a tenant, with a connection `default` that is still to be set up."""
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        made, connection = admin.add_tenant(
            tenant, name=name, uncertain=uncertain, domains=domain or (), reply_to=reply_to
        )

    if json:
        return print_json(
            {
                "id": made.id,
                "name": made.organisation,
                "state": made.state,
                "connection": connection.id,
                "domains": domains_of(made),
            }
        )

    fields(
        [
            ("tenant", made.id),
            ("state", made.state),
            ("connection", f"{connection.id} (default, to be set up)"),
        ]
    )

    return None
