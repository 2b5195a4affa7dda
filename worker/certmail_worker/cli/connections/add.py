"""`certmail connections add`."""

from __future__ import annotations

from typing import Annotated

import typer

from certmail_config.admin.admin import open_admin
from certmail_config.base.errors import WrongUse
from certmail_config.onboarding.google_steps import GoogleSteps
from certmail_config.settings import Settings
from certmail_config.tenants.models import DEFAULT_NAME, ConnectionKind, GoogleLimits
from certmail_worker.cli.connections.limits import (
    InFlight,
    PerDay,
    ProjectUnitsPerDay,
    ProjectUnitsPerMinute,
    UnitsPerMinute,
    WarmUpDays,
    given,
)
from certmail_worker.cli.connections.options import ValidDays
from certmail_worker.cli.connections.shown import as_json, show_connection
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, out, print_json


def add(
    tenant: Annotated[str, typer.Argument(help="The tenant's id.")],
    *,
    kind: Annotated[ConnectionKind, typer.Option(help="How the mailbox is connected.")],
    service_account: Annotated[
        str | None, typer.Option(help="Email of the customer's service account.")
    ] = None,
    mailbox: Annotated[
        str | None, typer.Option(help="Primary address of the mailbox to send from.")
    ] = None,
    name: Annotated[
        str, typer.Option(help="Its name; reminders that name none use `default`.")
    ] = DEFAULT_NAME,
    units_per_minute: UnitsPerMinute = None,
    in_flight: InFlight = None,
    per_day: PerDay = None,
    project_units_per_minute: ProjectUnitsPerMinute = None,
    project_units_per_day: ProjectUnitsPerDay = None,
    warm_up_days: WarmUpDays = None,
    valid_days: ValidDays = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="The customer also grants gmail.metadata: lost answers are looked up in SENT.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Set up a connection.

    For a customer owned application this makes the key and the certificate to upload.
    """
    limits = GoogleLimits(
        **given(
            units_per_minute=units_per_minute,
            in_flight=in_flight,
            per_day=per_day,
            project_units_per_minute=project_units_per_minute,
            project_units_per_day=project_units_per_day,
            warm_up_days=warm_up_days,
        )
    )

    if kind is ConnectionKind.SERVICE_PROVIDER_APP:
        if service_account is not None or mailbox is not None:
            message = "A linked account needs neither --service-account nor --mailbox: who signs in decides."
            raise WrongUse("wrong_option", message)
        with open_admin(Settings.from_env(), actor=actor()) as admin:
            made = admin.add_service_provider_app(tenant, name, limits=limits)
        if json:
            return print_json(as_json(made))
        show_connection(made)
        out.print(f"\nNext: certmail connections link {made.id} --wait")
        return None

    if service_account is None or mailbox is None:
        raise WrongUse(
            "missing_option", "A customer owned application needs --service-account and --mailbox."
        )

    with open_admin(Settings.from_env(), actor=actor()) as admin:
        made = admin.add_customer_owned_app(
            tenant,
            name,
            service_account=service_account,
            mailbox=mailbox,
            limits=limits,
            valid_days=valid_days or admin.settings.certificate_days,
            verify=verify,
        )
        google = GoogleSteps(made, "", admin.settings.consoles)

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
    out.print(
        "  2. A super administrator authorises the client ID (Admin console, Security, API controls,"
    )
    out.print(f"     Domain-wide delegation) for {google.scopes}", markup=False)
    out.print(f"  3. certmail connections probe {made.id}")

    return None
