"""`certmail doctor`."""

from __future__ import annotations

import typer

from certmail_config.settings import Settings
from certmail_worker.checkup import Severity, examine
from certmail_worker.cli.output import Json, out, print_json

_MARK = {
    Severity.OK: "[green]ok     [/green]",
    Severity.WARNING: "[yellow]warning[/yellow]",
    Severity.ERROR: "[red]error  [/red]",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(*, json: Json = False) -> None:
    """Examine settings, stores and connections: what is wrong, and what to do about it."""
    findings = examine(Settings.from_env())
    healthy = all(finding.severity is not Severity.ERROR for finding in findings)
    if json:
        shown = [
            {"check": f.check, "severity": f.severity, "message": f.message, "remedy": f.remedy}
            for f in findings
        ]
        print_json({"ok": healthy, "findings": shown})
    else:
        for finding in findings:
            out.print(f"{_MARK[finding.severity]}  [bold]{finding.check}[/bold]  ", end="")
            out.print(finding.message, markup=False)
            if finding.remedy and finding.severity is not Severity.OK:
                out.print(f"         {finding.remedy}", markup=False)
    if not healthy:
        raise typer.Exit(1)
