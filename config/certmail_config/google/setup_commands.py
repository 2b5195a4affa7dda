"""Commands that set up a customer owned application in Google Cloud, as one block to paste. Pure.

The block is for a shell with gcloud, or Terraform.

Sources, all D (Google's documentation; of Terraform the google provider's): `gcloud services
enable`, `gcloud projects create`, `gcloud iam service-accounts create|describe` and `… keys upload`
(format RSA_X509_PEM; PERMISSION_DENIED while the account is not known), which need the IAM API; the
numeric client ID is the account's `oauth2ClientId`, and its unique id (google.md §9).
`google_service_account_key.public_key_data` is the certificate in base64.

Whatever is a value is quoted for the language that it stands in. The shell's block is a subshell,
so that a failure ends the block and not the terminal, and holds no comment and no `!`, which
interactive shells may take for something else.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Final

from certmail_config.google.consoles import GMAIL_API, project_of

IAM_API: Final = "iam.googleapis.com"
_MADE_BY_A_PERSON: Final = re.compile(r"([a-z][a-z0-9-]*)@[a-z0-9.-]+\.iam\.gserviceaccount\.com")
_PROJECT: Final = re.compile(r"[a-z0-9][a-z0-9.:-]*")
_PEM: Final = re.compile(
    r"-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n?"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be there: the service account, and the certificate among its keys.

    `delegation` is the page in the Admin console, with `CLIENT_ID` where the number goes that only
    Google knows.
    """

    service_account: str
    certificate: str
    delegation: str

    @property
    def project(self) -> str:
        """The project of the account.

        Empty where the account's address does not name it, or names nothing that could be one.
        """
        found = project_of(self.service_account)
        return found if _PROJECT.fullmatch(found) else ""

    @property
    def name(self) -> str:
        """The account's name within the project.

        Empty for one that Google makes itself, or nobody can make.
        """
        found = _MADE_BY_A_PERSON.fullmatch(self.service_account)
        return found[1] if found else ""


CLIENT_ID: Final = "CLIENT_ID"


def gcloud(wanted: Wanted) -> str:
    """The block for a shell. Run again it makes nothing twice, but for the key."""
    in_project = ' --project="$project"' if wanted.project else ""
    lines = ["(", "set -eu", f"account={shlex.quote(wanted.service_account)}"]

    if wanted.project:
        lines += [
            f"project={shlex.quote(wanted.project)}",
            'gcloud projects describe "$project" >/dev/null 2>&1 || gcloud projects create "$project"',
        ]

    lines.append(f"gcloud services enable {IAM_API} {GMAIL_API}{in_project}")

    if wanted.name:
        lines += [
            f'gcloud iam service-accounts describe "$account"{in_project} >/dev/null 2>&1 ||',
            f"  gcloud iam service-accounts create {shlex.quote(wanted.name)}{in_project} --display-name=certmail",
        ]

    lines += [
        "certificate=$(mktemp)",
        "cat >\"$certificate\" <<'CERTMAIL'",
        _checked(wanted.certificate),
        "CERTMAIL",
        "tries=1",
        f'until gcloud iam service-accounts keys upload "$certificate" --iam-account="$account"{in_project}; do',
        '  [ "$tries" -lt 4 ] || exit 1',
        "  tries=$((tries + 1))",
        '  echo "Google may not know the new service account yet: once more in 15 seconds."',
        "  sleep 15",
        "done",
        'rm "$certificate"',
        f"client=$(gcloud iam service-accounts describe \"$account\"{in_project} --format='value(oauth2ClientId)')",
        "echo",
        'echo "Done. Client ID: $client"',
        'echo "A super administrator of your Google Workspace opens this page, and authorises:"',
        f"printf '%s%s%s\\n' {_around(wanted.delegation)}",
        ")",
    ]

    return "\n".join(lines) + "\n"


def terraform(wanted: Wanted) -> str:
    """The block for Terraform's google provider. The project must be there."""
    project = f"  project            = {_hcl(wanted.project)}\n" if wanted.project else ""
    before, _, behind = wanted.delegation.partition(CLIENT_ID)

    if wanted.name:
        of_account = project.replace("            =", "      =")
        account = (
            'resource "google_service_account" "certmail" {\n'
            f"{of_account}  account_id   = {_hcl(wanted.name)}\n"
            '  display_name = "certmail"\n'
            "}\n"
        )
    else:
        account = (
            'data "google_service_account" "certmail" {\n'
            f"  account_id = {_hcl(wanted.service_account)}\n"
            "}\n"
        )

    it = (
        "google_service_account.certmail" if wanted.name else "data.google_service_account.certmail"
    )
    pem = "\n".join(f"    {line}" for line in _checked(wanted.certificate).splitlines())
    return (
        'resource "google_project_service" "gmail" {\n'
        f"{project}"
        f"  service            = {_hcl(GMAIL_API)}\n"
        "  disable_on_destroy = false\n"
        "}\n\n"
        f"{account}\n"
        'resource "google_service_account_key" "certmail" {\n'
        f"  service_account_id = {it}.name\n"
        "  public_key_data = base64encode(<<-EOT\n"
        f"{pem}\n"
        "    EOT\n"
        "  )\n"
        "}\n\n"
        'output "certmail_client_id" {\n'
        f"  value = {it}.unique_id\n"
        "}\n\n"
        'output "for_a_super_administrator" {\n'
        f'  value = "{_hcl(before)[1:-1]}${{{it}.unique_id}}{_hcl(behind)[1:-1]}"\n'
        "}\n"
    )


def _around(delegation: str) -> str:
    before, _, behind = delegation.partition(CLIENT_ID)
    return f'{shlex.quote(before)} "$client" {shlex.quote(behind)}'


def _hcl(text: str) -> str:
    """A quoted string of HCL: neither its end nor a template begins in it."""
    escaped = (
        text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    )
    return f'"{escaped.replace("${", "$${").replace("%{", "%%{")}"'


def _checked(certificate: str) -> str:
    """The certificate, of which nothing could be read as anything else; raises ValueError."""
    if not _PEM.fullmatch(certificate):
        message = "not a certificate in PEM"
        raise ValueError(message)
    return certificate.rstrip("\n")
