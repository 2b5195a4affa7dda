"""`certmail tenants set`."""

from __future__ import annotations

from typing import Annotated

import typer

from certmail_config.admin.admin import open_admin
from certmail_config.base.errors import WrongUse
from certmail_config.settings import Settings
from certmail_config.tenants.domains import domains_of
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, fields, print_json
from certmail_worker.cli.tenants.options import DOMAIN, REPLY_TO, UNCERTAIN, domains_in_words


def set_(
    tenant: Annotated[str, typer.Argument(help="Its id.")],
    *,
    name: Annotated[str | None, typer.Option(help="What its reviewers know it as.")] = None,
    uncertain: Annotated[str | None, UNCERTAIN] = None,
    domain: Annotated[list[str] | None, DOMAIN] = None,
    reply_to: Annotated[str | None, REPLY_TO] = None,
    json: Json = False,
) -> None:
    """Change a tenant's name, its rule for unknown outcomes, its domains, or whom its mails name.

    What is not named stays.
    """
    if name is None and uncertain is None and domain is None and reply_to is None:
        raise WrongUse(
            "missing_option", "Say what to change: --name, --uncertain, --domain or --reply-to."
        )

    with open_admin(Settings.from_env(), actor=actor()) as admin:
        changed = admin.change_tenant(
            tenant, name=name, uncertain=uncertain, domains=domain, reply_to=reply_to
        )
        named = admin.reply_to_of(changed)

    shown = {
        "id": changed.id,
        "name": changed.organisation,
        "state": changed.state,
        "uncertain": changed.uncertain,
        "reply_to": named,
        "domains": domains_of(changed),
    }
    if json:
        return print_json(shown)

    fields([*list(shown.items())[:-1], ("domains", domains_in_words(changed))])
    return None
