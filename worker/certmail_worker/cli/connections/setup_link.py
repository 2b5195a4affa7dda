"""`certmail connections setup-link`: a link to certmail's own set-up pages.

On them a tenant's administrator connects the mailbox.
"""

from __future__ import annotations

from typing import Annotated

import typer

from certmail_config.admin.admin import open_admin
from certmail_config.admin.setup_links import issue
from certmail_config.settings import Settings
from certmail_config.tenants.models import DEFAULT_NAME
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, err, out, print_json, when


def setup_link(
    tenant: Annotated[str, typer.Argument(help="The tenant's id.")],
    *,
    name: Annotated[
        str, typer.Option(help="The connection's name; reminders that name none use `default`.")
    ] = DEFAULT_NAME,
    return_url: Annotated[
        str, typer.Option(help="Where the administrator is sent back to; see CERTMAIL_RETURN_URLS.")
    ] = "",
    state: Annotated[str, typer.Option(help="Given back with the return URL, unchanged.")] = "",
    again: Annotated[
        bool,
        typer.Option(
            "--again",
            help="Also for a connection that works: whoever opens the link sees whose mailbox it is, and can change it.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Make a link for a tenant's administrator, good for seven days.

    It opens in the first browser in which Start is pressed, until it is done.

    The tenant's link before it ends. Back at the return URL are `tenant`, `connection`, `status`
    (`active`: it works) and `state`.
    """
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        made = issue(admin, tenant, name=name, return_url=return_url, state=state, again=again)

    if json:
        return print_json(
            {
                "tenant": made.tenant,
                "connection": made.connection,
                "url": made.url,
                "expires_at": when(made.expires_at),
            }
        )

    out.print(made.url, markup=False)
    err.print(
        f"Good until {when(made.expires_at)}, in the first browser in which Start is pressed.",
        markup=False,
    )
    return None
