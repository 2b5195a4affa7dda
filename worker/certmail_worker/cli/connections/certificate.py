"""`certmail connections certificate`: what a customer's administrator uploads at Google."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from certmail_config.admin.admin import open_admin
from certmail_config.base.errors import Refused
from certmail_config.onboarding.client_ids import client_id_of
from certmail_config.onboarding.google_steps import GoogleSteps
from certmail_config.settings import Settings
from certmail_worker.cli.connections.options import Id
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, print_json, when


class CertificateForm(StrEnum):
    """In which form the certificate is written."""

    PEM = "pem"
    GCLOUD = "gcloud"
    TERRAFORM = "terraform"


def certificate(
    id: Id,  # noqa: A002 - what it is called on the command line
    *,
    next: Annotated[  # noqa: A002 - as above
        bool,
        typer.Option(
            "--next", help="The one that is to take over, while certificates are rotated."
        ),
    ] = False,
    form: Annotated[
        CertificateForm,
        typer.Option(
            "--as", help="As a file to upload, or in commands that set up all of Google Cloud."
        ),
    ] = CertificateForm.PEM,
    json: Json = False,
) -> None:
    """Write the certificate to stdout, for uploading to the service account.

    With --as, commands that make project, API and account, too.
    """
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        found = admin.connection(id)
        google = GoogleSteps(found, client_id_of(admin.strongbox, found), admin.settings.consoles)

    if found.certificate is None:
        raise Refused(
            "no_certificate",
            "This connection has no certificate.",
            "Only a customer owned application has one.",
        )

    if next and found.next_certificate is None:
        raise Refused(
            "not_rotating",
            "No other certificate is to take over.",
            f"certmail connections rotate {found.id}",
        )

    pem, not_after = (
        (found.next_certificate, found.next_not_after)
        if next
        else (found.certificate, found.not_after)
    )
    if json:
        return print_json({"id": found.id, "certificate": pem, "not_after": when(not_after)})

    sys.stdout.write(_in_form(google, str(pem), form))
    return None


def _in_form(google: GoogleSteps, pem: str, form: CertificateForm) -> str:
    match form:
        case CertificateForm.PEM:
            return pem
        case CertificateForm.GCLOUD:
            return google.gcloud(pem)
        case CertificateForm.TERRAFORM:
            return google.terraform(pem)
