"""`certmail templates check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from certmail_config.compose.own.whole_mails import all_findings
from certmail_config.settings import Settings
from certmail_config.templates.findings import TemplatesRefused, faults_of
from certmail_worker.cli.support.output import Json, out, print_json
from certmail_worker.cli.templates.folder import read_folder
from certmail_worker.cli.templates.saying import counted, findings_as_json, say_findings

FOLDER = typer.Argument(
    metavar="FOLDER", help="Of a tenant's files, as docs/templates.md has them."
)


def check(folder: Annotated[Path, FOLDER], *, json: Json = False) -> None:
    """Say what is wrong with templates in a folder, and what is worth knowing.

    It needs no server. Ends with status 1 where they could not be published so.
    """
    hosts = Settings.from_env().logo_hosts
    try:
        document = read_folder(folder)
        findings = all_findings(document, hosts)
        about = counted(document)
    except TemplatesRefused as refused:
        findings, about = list(refused.findings), "not read"

    faults = faults_of(findings)
    if json:
        print_json({"ok": not faults, "findings": findings_as_json(findings)})
    else:
        say_findings(findings)
        verdict = f"{len(faults)} faults" if len(faults) != 1 else "1 fault"
        out.print(
            f"{folder}: {about}; {verdict if faults else 'they can be published'}.", markup=False
        )
    if faults:
        raise typer.Exit(1)
