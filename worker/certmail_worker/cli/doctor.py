"""`certmail doctor`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Annotated, Any

import typer
from rich.status import Status

from certmail_config.base.errors import WrongUse
from certmail_config.settings import Settings
from certmail_config.settings.existing_deployment import refuse_sandbox
from certmail_worker.cli.support.output import Json, err, out, print_json
from certmail_worker.cli.support.times import parse_time
from certmail_worker.doctor.checks.findings import Finding, Severity
from certmail_worker.doctor.diagnosis import examine
from certmail_worker.doctor.repair import Repair, RepairDone, find_repair

_MARK = {
    Severity.OK: "[green]ok     [/green]",
    Severity.WARNING: "[yellow]warning[/yellow]",
    Severity.ERROR: "[red]error  [/red]",
}


def doctor(
    *,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair", help="Show what could be put right in the ledger, ask, and do it."
        ),
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="With --repair: do it without asking.")
    ] = False,
    stopped_at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="With --repair, for a restored Redis: when the former server ended (RFC 3339), if that is known. "
            "Otherwise what could have left until the new one started is held.",
        ),
    ] = None,
    without_copy: Annotated[
        bool,
        typer.Option(
            "--without-copy",
            help="With --repair --yes, for an empty Redis: there is no copy of it to put back. What it lacks is lost for good.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Examine settings, stores, ledger and connections: what is wrong, and what to do about it."""
    settings = Settings.from_env()
    ended = parse_time(stopped_at, "--stopped-at")
    if (yes or ended or without_copy) and not repair:
        raise WrongUse(
            "wrong_use",
            "--yes, --stopped-at and --without-copy go with --repair.",
            "See `certmail doctor --help`.",
        )

    refuse_sandbox(settings)
    done: RepairDone | None = None

    if repair and (found := find_repair(settings, stopped_at=ended)):
        if not _agreed(found, yes=yes, without_copy=without_copy, json=json):
            if json:
                print_json(
                    {"ok": False, "findings": [], "repair": _repair(found, carried_out=False)}
                )
            raise typer.Exit(1)
        done = found.carry_out(settings)

    findings = _examine(settings, json=json)
    healthy = all(finding.severity is not Severity.ERROR for finding in findings)

    if json:
        value: dict[str, Any] = {"ok": healthy, "findings": [_finding(each) for each in findings]}
        print_json(value | ({"repair": _repair(done, carried_out=True)} if repair else {}))
    else:
        if repair:
            _say(
                done.lines if done else ["There is nothing to repair in the ledger."],
                "Done:" if done else "",
            )
        _print(findings)

    if not healthy:
        raise typer.Exit(1)


def _agreed(repair: Repair, *, yes: bool, without_copy: bool, json: bool) -> bool:
    """Show what would be done, and ask; where nobody can be asked, nothing is done.

    What is final is asked for by itself.
    """
    final = bool(repair.loss_warning) and not without_copy
    if yes and not final:
        return True
    if json:
        return False

    _say(repair.lines, "This would be done:")
    if final:
        out.print(repair.loss_warning, markup=False)

    if yes or not sys.stdin.isatty():
        flags = ([] if yes else ["--yes"]) + (["--without-copy"] if final else [])
        err.print(f"Add {' and '.join(flags)} to do it.", markup=False)
        return False

    if final and not typer.confirm("Is there no such copy?", default=False):
        return False

    return typer.confirm("Do it?")


def _say(lines: Sequence[str], head: str) -> None:
    if head:
        out.print(head)
    for line in lines:
        out.print(f"  {line}", markup=False)
    out.print()


def _examine(settings: Settings, *, json: bool) -> list[Finding]:
    waiting = nullcontext() if json else err.console.status("Looking at the ledger ...")
    with waiting as shown:

        def progress(count: int) -> None:
            if isinstance(shown, Status):
                shown.update(f"Looking at the ledger: {count:,} keys and entries ...")

        return examine(settings, progress)


def _print(findings: Sequence[Finding]) -> None:
    for finding in findings:
        out.print(f"{_MARK[finding.severity]}  [bold]{finding.check}[/bold]  ", end="")
        out.print(finding.message, markup=False)
        if finding.remedy and finding.severity is not Severity.OK:
            out.print(f"         {finding.remedy}", markup=False)


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "severity": finding.severity,
        "message": finding.message,
        "remedy": finding.remedy,
    }


def _repair(repair: Repair | RepairDone | None, *, carried_out: bool) -> dict[str, Any]:
    if repair is None:
        return {"carried_out": False, "lines": [], "jobs": {}}
    warning = (
        {"doubt": repair.loss_warning} if isinstance(repair, Repair) and repair.loss_warning else {}
    )
    return {
        "carried_out": carried_out,
        "lines": list(repair.lines),
        "jobs": repair.jobs,
    } | warning
