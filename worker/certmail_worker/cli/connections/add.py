"""`certmail connections`."""

from __future__ import annotations

from typing import Annotated

import typer

from certmail_config.connections import DEFAULT_NAME, Kind, Limits
from certmail_config.errors import WrongUse
from certmail_config.google_steps import GoogleSteps
from certmail_config.lane_glances import at_once
from certmail_config.office import open_office
from certmail_config.settings import Settings
from certmail_config.sql import registry
from certmail_config.state_words import WORDS
from certmail_config.waits import waits
from certmail_worker.cli.connections import certificate as certificates
from certmail_worker.cli.connections.identified import Id
from certmail_worker.cli.connections.limits import (
    InFlight,
    PerDay,
    ProjectUnitsPerDay,
    ProjectUnitsPerMinute,
    UnitsPerMinute,
    WarmUpDays,
    given,
)
from certmail_worker.cli.connections.shown import as_json, show_connection, shown_wait, until
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, out, print_json, table


def add(
    tenant: Annotated[str, typer.Argument(help="The tenant's id.")],
    *,
    kind: Annotated[Kind, typer.Option(help="How the mailbox is connected.")],
    service_account: Annotated[
        str | None, typer.Option(help="Email of the customer's service account.")
    ] = None,
    mailbox: Annotated[str | None, typer.Option(help="Primary address of the mailbox to send from.")] = None,
    name: Annotated[
        str, typer.Option(help="Its name; reminders that name none use `default`.")
    ] = DEFAULT_NAME,
    units_per_minute: UnitsPerMinute = None,
    in_flight: InFlight = None,
    per_day: PerDay = None,
    project_units_per_minute: ProjectUnitsPerMinute = None,
    project_units_per_day: ProjectUnitsPerDay = None,
    warm_up_days: WarmUpDays = None,
    valid_days: certificates.ValidDays = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="The customer also grants gmail.metadata: lost answers are looked up in SENT."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Set up a connection. For a customer owned application this makes the key and the certificate to upload."""
    limits = Limits(
        **given(
            units_per_minute=units_per_minute,
            in_flight=in_flight,
            per_day=per_day,
            project_units_per_minute=project_units_per_minute,
            project_units_per_day=project_units_per_day,
            warm_up_days=warm_up_days,
        )
    )
    if kind is Kind.SERVICE_PROVIDER_APP:
        if service_account is not None or mailbox is not None:
            message = "A linked account needs neither --service-account nor --mailbox: who signs in decides."
            raise WrongUse("wrong_option", message)
        with open_office(Settings.from_env(), actor=actor()) as office:
            made = office.add_service_provider_app(tenant, name, limits=limits)
        if json:
            return print_json(as_json(made))
        show_connection(made)
        out.print(f"\nNext: certmail connections link {made.id} --wait")
        return None
    if service_account is None or mailbox is None:
        raise WrongUse(
            "missing_option", "A customer owned application needs --service-account and --mailbox."
        )
    with open_office(Settings.from_env(), actor=actor()) as office:
        made = office.add_customer_owned_app(
            tenant,
            name,
            service_account=service_account,
            mailbox=mailbox,
            limits=limits,
            valid_days=valid_days or office.settings.certificate_days,
            verify=verify,
        )
        google = GoogleSteps(made, "", office.settings.consoles)
    if json:
        return print_json(as_json(made))
    show_connection(made)
    out.print("\nNext:")
    out.print(f"  1. certmail connections certificate {made.id} --as gcloud")
    out.print(
        "     prints commands to paste into Cloud Shell, or any shell with gcloud. They make what is missing:"
    )
    out.print("     project, Gmail API, service account and its key; and they say the client ID.")
    out.print(f"     Cloud Shell: {google.shell}", markup=False)
    out.print(
        "     By hand: without --as it writes the certificate, to be uploaded to the service account, under Keys:"
    )
    out.print(f"     {google.keys}", markup=False)
    out.print("  2. A super administrator authorises the client ID (Admin console, Security, API controls,")
    out.print(f"     Domain-wide delegation) for {google.scopes}", markup=False)
    out.print(f"  3. certmail connections probe {made.id}")
    return None


def set_(
    id: Id,  # noqa: A002 - what it is called on the command line
    *,
    units_per_minute: UnitsPerMinute = None,
    in_flight: InFlight = None,
    per_day: PerDay = None,
    project_units_per_minute: ProjectUnitsPerMinute = None,
    project_units_per_day: ProjectUnitsPerDay = None,
    warm_up_days: WarmUpDays = None,
    json: Json = False,
) -> None:
    """Change the limits of a connection, only those given. They count from the next reminder on; nothing else changes."""
    changes = given(
        units_per_minute=units_per_minute,
        in_flight=in_flight,
        per_day=per_day,
        project_units_per_minute=project_units_per_minute,
        project_units_per_day=project_units_per_day,
        warm_up_days=warm_up_days,
    )
    if not changes:
        remedy = (
            f"Give at least one limit: `certmail connections set {id} --per-day 500`, say; `--help` has all."
        )
        raise WrongUse("missing_option", "There is nothing to change.", remedy)
    with open_office(Settings.from_env(), actor=actor()) as office:
        changed = office.change_limits(id, changes)
    return print_json(as_json(changed)) if json else show_connection(changed)


def list_(
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None, *, json: Json = False
) -> None:
    """List the connections, with their states."""
    with open_office(Settings.from_env()) as office, office.db() as db:
        found = registry.list_connections(db, tenant)
        waiting = waits(office.redis, [connection.id for connection in found])
    if json:
        return print_json(
            {"connections": [as_json(c) | {"waits": shown_wait(waiting.get(c.id))} for c in found]}
        )
    table(
        ["id", "tenant", "name", "kind", "state", "mailbox", "code", "waits until"],
        [
            [c.id, c.tenant, c.name, c.kind, WORDS[c.state], c.mailbox, c.code, until(waiting.get(c.id))]
            for c in found
        ],
    )
    for connection in found:
        if connection.id in waiting:
            name = f"{connection.tenant}/{connection.name}"
            out.print(f"\n{name}: {waiting[connection.id].sentence}", markup=False)
    return None


def show(id: Id, *, json: Json = False) -> None:  # noqa: A002 - what it is called on the command line
    """Show one connection: its state, what it waits for, and what to do if it does not work."""
    with open_office(Settings.from_env(), actor=actor()) as office:
        found = office.connection(id)
        fewer, wait = at_once(office.redis, found.id), waits(office.redis, [found.id]).get(found.id)
    if json:
        return print_json(as_json(found) | {"waits": shown_wait(wait), "in_flight_now": fewer})
    show_connection(found)
    if wait is not None:
        out.print(f"\n{wait.sentence}", markup=False)
    if fewer is not None:
        out.print(
            f"\nFor now {fewer} of {found.limits.in_flight} requests at once: Gmail said that more are too many for this mailbox. "
            "Every five minutes without that there may be one more."
        )
    return None
