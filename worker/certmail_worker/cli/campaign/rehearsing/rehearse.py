"""`certmail campaign rehearse`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from certmail_config.campaigns.plan import Enrolment
from certmail_config.jobs.states import State
from certmail_config.tenants.models import GoogleLimits
from certmail_worker.cli.campaign import shown
from certmail_worker.cli.campaign.files import read_files
from certmail_worker.cli.campaign.rehearsing import shown as shown_rehearsal
from certmail_worker.cli.campaign.rehearsing.asked import completions
from certmail_worker.cli.campaign.rehearsing.mail_folder import MailFolder
from certmail_worker.cli.connections import limits as of
from certmail_worker.cli.support.output import Json, err
from certmail_worker.cli.support.times import parse_time
from certmail_worker.rehearsal import rehearse as rehearsal


def rehearse(
    *,
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="CAMPAIGN...", help="The campaign (TOML); several, to see them together."
        ),
    ],
    reviewers: Annotated[
        list[str],
        typer.Option(
            metavar="FILE",
            help="Its reviewers, CSV or JSON lines; one file for each campaign, in their order. `-` is standard input.",
        ),
    ],
    now: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="When it begins (RFC 3339); else at present."),
    ] = None,
    done: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID=WHEN",
            help="What if this reviewer were done from a day, or a time, on; may be repeated.",
        ),
    ] = None,
    completing: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE",
            help="What if so many were done by and by until it is due, such as 60%.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="With --completing: other people at other times.")] = 1,
    to: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FOLDER", help="Write each mail to this folder, which is empty or new."
        ),
    ] = None,
    units_per_minute: of.UnitsPerMinute = None,
    per_day: of.PerDay = None,
    whole: Annotated[
        bool, typer.Option("--all", help="Print every row, however many there are.")
    ] = False,
    json: Json = False,
) -> None:
    """Run a campaign ahead of time, into a sink: each mail is planned, composed and recorded, and none leaves.

    It has stores of its own, which end with it, and needs no server, mailbox or network. The status
    is 1 where a row of reviewers is wrong, or a mail cannot be written.
    """
    begins = parse_time(now, "--now") or datetime.now(UTC)
    read = read_files(files, reviewers, None)
    asked = completions(read.enrolments, done or [], completing, begins, seed)
    limits = replace(GoogleLimits(), **of.given(units_per_minute=units_per_minute, per_day=per_day))
    folder = MailFolder(to)
    folder.open()

    started = time.monotonic()
    with _bar(read.enrolments, begins) as tell:
        found = rehearsal.rehearse(
            read.enrolments, begins, asked, limits, file=folder.write, tell=tell
        )
    seconds = time.monotonic() - started

    if json:
        shown_rehearsal.show_json(found, begins, seconds, read.bad)
    else:
        went = found.outcome.went
        shown.show(read.enrolments, went, begins, whole=whole)
        shown_rehearsal.show_days(went.moments, whole=whole)
        shown_rehearsal.show_end(found, begins, seconds, to)
        shown.show_bad(read.bad)

    if read.bad or any(state == State.FAILED for state, _ in found.outcome.jobs):
        raise typer.Exit(1)


@contextmanager
def _bar(
    enrolments: Sequence[Enrolment], begins: datetime
) -> Iterator[Callable[[datetime, int], None]]:
    """Show what day it is, where somebody looks."""
    if not err.is_terminal:
        yield lambda _now, _mails: None
        return

    # Rich's progress takes longer to import than a small rehearsal does.
    from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415

    due = max(each.campaign.due for each in enrolments)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[mails]:,} mails"),
    )
    with Progress(*columns, console=err.console, transient=True) as progress:
        total = max((due - begins).total_seconds(), 1.0)
        task = progress.add_task(f"{begins:%Y-%m-%d}", total=total, mails=0)

        def tell(now: datetime, mails: int) -> None:
            passed = (now - begins).total_seconds()
            progress.update(
                task, description=f"{now:%Y-%m-%d}", completed=min(passed, total), mails=mails
            )

        yield tell
