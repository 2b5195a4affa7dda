"""`certmail templates publish` and `reset`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from certmail_config.admin.admin import open_admin
from certmail_config.admin.templates.publishing import publish as publish_document
from certmail_config.admin.templates.publishing import reset as reset_templates
from certmail_config.settings import Settings
from certmail_config.templates.findings import TemplatesRefused
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, out, print_json
from certmail_worker.cli.templates.check import FOLDER
from certmail_worker.cli.templates.folder import read_folder
from certmail_worker.cli.templates.saying import (
    counted,
    findings_as_json,
    say_findings,
    say_refused,
    state_as_json,
)

TENANT = typer.Argument(metavar="TENANT", help="Its id.")


def publish(
    tenant: Annotated[str, TENANT],
    folder: Annotated[Path, FOLDER],
    *,
    instead_of: Annotated[
        int | None,
        typer.Option(
            min=0, help="Publish only if this version is the newest; 0: if there is none."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Publish a tenant's templates, all of a folder: its mails are written with them from the next minute on.

    With a fault nothing is published, and the status is 1.
    """
    try:
        document = read_folder(folder)
        with open_admin(Settings.from_env(), actor=actor()) as admin:
            state, hints = publish_document(admin, tenant, document, instead_of=instead_of)
    except TemplatesRefused as refused:
        return say_refused(refused, json=json)

    if json:
        return print_json({"ok": True, "findings": findings_as_json(hints)} | state_as_json(state))
    say_findings(hints)
    what = f"version {state.version}" if state.version else "nothing"
    out.print(f"{tenant} has published {what}: {counted(state.document)}.", markup=False)
    return None


def reset(tenant: Annotated[str, TENANT], *, json: Json = False) -> None:
    """Go back to certmail's own words and look for a tenant; the versions before are kept."""
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        state = reset_templates(admin, tenant)

    if json:
        return print_json(state_as_json(state))
    out.print(f"The mails of {tenant} are in certmail's own words.", markup=False)
    return None
