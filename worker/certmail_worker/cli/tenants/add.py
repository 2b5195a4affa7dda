"""`certmail tenants`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from certmail_config.connections import Tenant
from certmail_config.domains import domains_of
from certmail_config.errors import WrongUse
from certmail_config.office import open_office
from certmail_config.settings import Settings
from certmail_config.sql import registry
from certmail_config.state_words import WORDS
from certmail_worker.cli.connections.shown import as_json
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, fields, out, print_json, table
from certmail_worker.overview import Overview, look

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
    with open_office(Settings.from_env(), actor=actor()) as office:
        made, connection = office.add_tenant(
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


def set_(
    tenant: Annotated[str, typer.Argument(help="Its id.")],
    *,
    name: Annotated[str | None, typer.Option(help="What its reviewers know it as.")] = None,
    uncertain: Annotated[str | None, UNCERTAIN] = None,
    domain: Annotated[list[str] | None, DOMAIN] = None,
    reply_to: Annotated[str | None, REPLY_TO] = None,
    json: Json = False,
) -> None:
    """Change a tenant's name, its rule for unknown outcomes, its domains, or whom its mails name. What is not named stays."""
    if name is None and uncertain is None and domain is None and reply_to is None:
        raise WrongUse("missing_option", "Say what to change: --name, --uncertain, --domain or --reply-to.")
    with open_office(Settings.from_env(), actor=actor()) as office:
        changed = office.change_tenant(
            tenant, name=name, uncertain=uncertain, domains=domain, reply_to=reply_to
        )
        named = office.reply_to_of(changed)
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
    fields([*list(shown.items())[:-1], ("domains", _any(changed))])
    return None


def list_(*, json: Json = False) -> None:
    """List the tenants."""
    with open_office(Settings.from_env()) as office, office.db() as db:
        tenants = registry.list_tenants(db)
        connections = registry.list_connections(db)
    rows = [
        {
            "id": tenant.id,
            "name": tenant.organisation,
            "state": tenant.state,
            "uncertain": tenant.uncertain,
            "domains": domains_of(tenant),
            "connections": sum(c.tenant == tenant.id for c in connections),
        }
        for tenant in tenants
    ]
    if json:
        return print_json({"tenants": rows})
    headings = ["tenant", "name", "state", "uncertain", "domains", "connections"]
    shown = [
        row | {"domains": ", ".join(domains_of(tenant))} for row, tenant in zip(rows, tenants, strict=True)
    ]
    table(headings, [list(row.values()) for row in shown])
    return None


def show(tenant: Annotated[str, typer.Argument(help="Its id.")], *, json: Json = False) -> None:
    """Show a tenant: its connections, how many reminders wait, and what needs attention."""
    with open_office(Settings.from_env()) as office:
        seen = look(office, tenant)
    if json:
        return print_json(_as_json(seen))
    rule = seen.tenant.uncertain or "the deployment's"
    named = [("tenant", seen.tenant.id), ("name", seen.tenant.organisation), ("state", seen.tenant.state)]
    named += [("sends from", _any(seen.tenant)), ("questions to", seen.reply_to or "nobody")]
    fields([*named, ("unknown outcomes", rule), ("waiting", seen.waiting), ("uncertain", seen.uncertain)])
    out.print()
    table(
        ["connection", "kind", "state", "mailbox", "waiting", "id"],
        [[c.name, c.kind, WORDS[c.state], c.mailbox, waiting, c.id] for c, waiting in seen.connections],
    )
    for matter in seen.attention:
        out.print(f"\n{matter.about}: {matter.message}\n  {matter.remedy}", markup=False)
    return None


def _any(tenant: Tenant) -> str:
    """The domains that it may send from, in words."""
    return ", ".join(domains_of(tenant)) or "any domain"


def _as_json(seen: Overview) -> dict[str, object]:
    return {
        "id": seen.tenant.id,
        "name": seen.tenant.organisation,
        "state": seen.tenant.state,
        "uncertain": seen.tenant.uncertain,
        "reply_to": seen.reply_to,
        "domains": domains_of(seen.tenant),
        "connections": [as_json(found) | {"waiting": waiting} for found, waiting in seen.connections],
        "waiting": seen.waiting,
        "unsettled": seen.uncertain,
        "attention": [asdict(matter) for matter in seen.attention],
    }
