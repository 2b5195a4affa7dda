"""What several commands take of a tenant, and how its domains are shown."""

from __future__ import annotations

from typing import Annotated

import typer

from certmail_config.tenants.domains import domains_of
from certmail_config.tenants.models import Tenant

TenantId = Annotated[str, typer.Argument(metavar="TENANT", help="Its id.")]
UNCERTAIN = typer.Option(
    metavar="RULE",
    help="What follows an unknown outcome: `hold`, `resend`, or with kinds that differ `hold,final=resend`; '' is the deployment's rule.",
)
DOMAIN = typer.Option(
    help="A domain that its mailboxes must be of; several if given several times, '' for any. Those that are connected go on."
)
REPLY_TO = typer.Option(
    metavar="ADDRESS",
    help="Whom its mails name for questions, and where answers go; '' names nobody, and answers go to the mailbox that a mail leaves from.",
)


def domains_in_words(tenant: Tenant) -> str:
    """The domains that it may send from, in words."""
    return ", ".join(domains_of(tenant)) or "any domain"
