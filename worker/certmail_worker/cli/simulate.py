"""`certmail simulate`."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from certmail_config.tenants.models import GoogleLimits
from certmail_worker.cli.connections import limits as of
from certmail_worker.cli.support.output import Json, err, fields, out, print_json, table
from certmail_worker.simulation.campaign_study import StudyPlan, study


def simulate(
    *,
    tenants: Annotated[int, typer.Option(min=1, help="Tenants, each with a mailbox.")] = 100,
    reminders: Annotated[
        int, typer.Option(min=1, help="Reminders, spread evenly over them.")
    ] = 10_000,
    own_projects: Annotated[
        bool,
        typer.Option(
            "--own-projects",
            help="Each tenant has a Google Cloud project of its own, as with customer owned applications; else all share one.",
        ),
    ] = False,
    units_per_minute: of.UnitsPerMinute = None,
    in_flight: of.InFlight = None,
    per_day: of.PerDay = None,
    project_units_per_minute: of.ProjectUnitsPerMinute = None,
    project_units_per_day: of.ProjectUnitsPerDay = None,
    warm_up_days: of.WarmUpDays = None,
    json: Json = False,
) -> None:
    """Say how long a campaign takes under Google's limits, and what it asks of Redis.

    Nothing is sent.

    The ledger's own scripts run on a server of their own, under a clock that is moved on; a mail
    takes about a millisecond.
    """
    limits = replace(
        GoogleLimits(),
        **of.given(
            units_per_minute=units_per_minute,
            in_flight=in_flight,
            per_day=per_day,
            project_units_per_minute=project_units_per_minute,
            project_units_per_day=project_units_per_day,
            warm_up_days=warm_up_days,
        ),
    )
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f}"),
    )
    with Progress(*columns, TimeElapsedColumn(), console=err.console, transient=True) as bar:
        task = bar.add_task("enqueued", total=reminders)

        def progress(what: str, done: int, total: int, seconds: float) -> None:
            words = f"{what} ({timedelta(seconds=round(seconds))} simulated)" if seconds else what
            bar.update(task, description=words, completed=done, total=total)

        result = study(StudyPlan(tenants, reminders, limits, own_projects=own_projects), progress)
    if json:
        return print_json(result)
    return _show(result)


def _show(result: dict[str, Any]) -> None:
    redis = result["redis"]
    out.print(
        f"{result['reminders']} reminders of {result['tenants']} tenants leave in "
        f"[bold]{timedelta(seconds=round(result['seconds']))}[/bold] (the forecast said {_time(result['forecast_seconds'])}); "
        f"Google refused {result['refused_by_google']}.\n"
    )
    table(
        ["limit", "allows", "most used", "share"],
        [
            [
                row["limit"],
                row["allowed"],
                row["most"],
                f"{row['used']:.1%}{'  binds' if row['used'] >= 0.95 else ''}",
            ]
            for row in result["limits"]
        ],
    )

    out.print()
    fields(
        [
            ("Redis commands a mail", redis["commands_per_mail"]),
            ("its processor time a mail", f"{redis['cpu_ms_per_mail']} ms"),
            ("its memory a waiting reminder", f"{redis['bytes_per_waiting_job']} bytes"),
            ("its memory at most", f"{redis['memory_peak_bytes'] / 1e6:.0f} MB"),
            (
                "one Redis is busy all the time at",
                f"{redis['mails_per_second_at_most']} mails a second, {redis['full_projects_at_most']} projects at their limit",
            ),
        ]
    )

    err.print(
        f"Simulated in {result['took_seconds']} s. A Redis that syncs to its disk, and the recorder, need more."
    )


def _time(seconds: float | None) -> str:
    return "nothing" if seconds is None else str(timedelta(seconds=round(seconds)))
