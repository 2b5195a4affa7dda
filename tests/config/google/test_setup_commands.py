"""The blocks to paste into a shell, and what they ask of Google.

No value of a tenant's is read as anything but a value.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from certmail_config.crypto.certificates import new_key_pair
from certmail_config.google.setup_commands import Wanted, gcloud, terraform

PEM = new_key_pair(datetime(2026, 11, 27, tzinfo=UTC), valid_days=60).certificate
ACCOUNT = "certmail@acme-it.iam.gserviceaccount.com"
PAGE = "https://admin.google.com/ac/owl/domainwidedelegation?clientIdToAdd=CLIENT_ID&clientScopeToAdd=a,b"
FAKE = """#!/bin/sh
{ printf '%s\\0' "$@"; printf '\\n\\0'; } >> "$TOLD"
case "$1 $2 $3 $4" in
  *upload*)
    echo x >> "$TOLD.tries"
    [ "$(wc -l < "$TOLD.tries")" -gt "${REFUSED:-0}" ] || exit 1
    cp "$5" "$TOLD.pem" ;;
  *describe*)
    case "$*" in *--format*) echo 117000000000000000001 ;; *) exit "${MISSING:-1}" ;; esac ;;
esac
"""


def wanted(account: str = ACCOUNT, page: str = PAGE) -> Wanted:
    return Wanted(account, PEM, page)


class PastedBlock:
    """A block that was pasted into a shell whose gcloud only writes down what it is asked."""

    def __init__(self, folder: Path, block: str, **environment: str) -> None:
        (folder / "bin").mkdir()

        for name, script in (("gcloud", FAKE), ("sleep", "#!/bin/sh\n")):
            (folder / "bin" / name).write_text(script)
            (folder / "bin" / name).chmod(0o755)

        calls = folder / "told"
        path = f"{folder / 'bin'}:{os.environ['PATH']}"
        environment |= {"PATH": path, "TOLD": str(calls), "HOME": str(folder)}
        command = [str(shutil.which("bash")), "--norc"]
        ran = subprocess.run(
            command,
            input=block,
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.status, self.output, self.errors = ran.returncode, ran.stdout, ran.stderr
        self.called = [
            call.rstrip("\0").split("\0") for call in calls.read_text().split("\n\0")[:-1]
        ]
        uploaded = folder / "told.pem"
        self.uploaded = uploaded.read_text() if uploaded.exists() else ""


def test_one_paste_makes_project_api_account_and_key_and_prints_the_way_on(tmp_path: Path) -> None:
    ran = PastedBlock(tmp_path, gcloud(wanted()))
    project = "--project=acme-it"
    [upload] = [called for called in ran.called if "upload" in called]
    assert ran.status == 0, ran.errors
    assert ran.called == [
        ["projects", "describe", "acme-it"],
        ["projects", "create", "acme-it"],
        ["services", "enable", "iam.googleapis.com", "gmail.googleapis.com", project],
        ["iam", "service-accounts", "describe", ACCOUNT, project],
        ["iam", "service-accounts", "create", "certmail", project, "--display-name=certmail"],
        [
            "iam",
            "service-accounts",
            "keys",
            "upload",
            upload[4],
            f"--iam-account={ACCOUNT}",
            project,
        ],
        ["iam", "service-accounts", "describe", ACCOUNT, project, "--format=value(oauth2ClientId)"],
    ]

    assert ran.uploaded.strip() == PEM.strip()
    assert "Client ID: 117000000000000000001" in ran.output
    assert PAGE.replace("CLIENT_ID", "117000000000000000001") in ran.output.splitlines()
    assert not Path(upload[4]).exists(), "nothing is left behind"


def test_what_is_there_already_is_not_made_again(tmp_path: Path) -> None:
    ran = PastedBlock(tmp_path, gcloud(wanted()), MISSING="0")
    assert ran.status == 0
    assert not [called for called in ran.called if "create" in called]
    assert ran.uploaded


def test_a_new_account_that_is_not_known_yet_is_asked_for_again_but_not_for_ever(
    tmp_path: Path,
) -> None:
    folders = [tmp_path / "late", tmp_path / "never"]
    for folder in folders:
        folder.mkdir()
    late = PastedBlock(folders[0], gcloud(wanted()), REFUSED="2")
    assert (late.status, bool(late.uploaded)) == (0, True)
    never = PastedBlock(folders[1], gcloud(wanted()), REFUSED="99")
    assert (never.status, never.uploaded) == (1, "")
    assert "Client ID" not in never.output


def test_an_account_of_googles_own_making_is_only_given_the_key(tmp_path: Path) -> None:
    account = "12-compute@developer.gserviceaccount.com"
    ran = PastedBlock(tmp_path, gcloud(wanted(account)))
    assert ran.status == 0
    assert not [called for called in ran.called if "create" in called]
    assert not [
        called for called in ran.called if any(each.startswith("--project") for each in called)
    ]
    assert f'account_id = "{account}"' in terraform(wanted(account))


NASTY = (
    "o'brien@acme-it.iam.gserviceaccount.com",
    "$(touch owned)@acme-it.iam.gserviceaccount.com",
    "`touch owned`@acme-it.iam.gserviceaccount.com",
    "a;touch owned;#@acme-it.iam.gserviceaccount.com",
    'a"b\\c@acme-it.iam.gserviceaccount.com',
    "a${b}%{c}@acme-it.iam.gserviceaccount.com",
    "a\nCERTMAIL\ntouch owned@acme-it.iam.gserviceaccount.com",
    "certmail@x';touch owned;'.iam.gserviceaccount.com",
    "certmail@$(touch owned).iam.gserviceaccount.com",
    "--impersonate@acme-it.iam.gserviceaccount.com",
)


@pytest.mark.parametrize("account", NASTY)
def test_no_value_is_a_command(tmp_path: Path, account: str) -> None:
    block = gcloud(wanted(account, PAGE + "&dn=$(touch owned)'\"`touch owned`"))
    syntax = subprocess.run(
        ["bash", "-n"], input=block, text=True, capture_output=True, check=False
    )
    assert syntax.returncode == 0, syntax.stderr
    ran = PastedBlock(tmp_path, block)
    assert [
        f"--iam-account={account}" in called for called in ran.called if "upload" in called
    ] == [True]
    assert not any("owned" in path.name for path in tmp_path.rglob("*"))


def strings(hcl: str) -> list[str]:
    """The quoted strings of a document as Terraform reads them.

    Fails where one is not closed on its line.
    """
    found = []

    for line in hcl.splitlines():
        rest = line
        while (start := rest.find('"')) >= 0:
            rest, text = rest[start + 1 :], ""
            while not rest.startswith('"'):
                assert rest, f"not closed: {line}"
                if rest.startswith(("$${", "%%{")):
                    text, rest = text + rest[1:3], rest[3:]
                elif rest.startswith(("${", "%{")):
                    end = rest.index("}")
                    text, rest = text + f"<{rest[2:end]}>", rest[end + 1 :]
                elif rest.startswith("\\"):
                    text, rest = text + {"n": "\n", "r": "\r"}.get(rest[1], rest[1]), rest[2:]
                else:
                    text, rest = text + rest[0], rest[1:]

            rest = rest[1:]
            found.append(text)

    return found


@pytest.mark.parametrize("account", [ACCOUNT, *NASTY])
def test_no_value_is_more_than_a_string_in_terraform(account: str) -> None:
    document = terraform(wanted(account))
    assert {account, account.rpartition("@")[0]} & set(strings(document))
    [evaluated] = [text for text in strings(document) if "<" in text]
    assert re.sub("<[a-z_.]+>", "CLIENT_ID", evaluated) == PAGE, "nothing else is evaluated"


def test_terraform_gets_the_certificate_as_base64_of_its_pem() -> None:
    document = terraform(wanted())
    inside = document.partition("base64encode(<<-EOT\n")[2].partition("\n    EOT\n")[0]
    assert "\n".join(line.removeprefix("    ") for line in inside.splitlines()) == PEM.strip()

    for made in (
        'resource "google_project_service" "gmail"',
        'resource "google_service_account" "certmail"',
        'resource "google_service_account_key" "certmail"',
        "service_account_id = google_service_account.certmail.name",
        "value = google_service_account.certmail.unique_id",
    ):
        assert made in document


def test_what_is_no_certificate_is_in_no_block() -> None:
    for bad in ("", "CERTMAIL\ntouch owned", PEM + "x", PEM.replace("END", "$(END)")):
        with pytest.raises(ValueError, match="certificate"):
            gcloud(Wanted(ACCOUNT, bad, PAGE))
