"""`certmail send`."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer
from redis.exceptions import RedisError

from certmail import Mailer
from certmail.files.columns import Layout
from certmail.files.dates import DateDefaults, DateOrder, known_zone
from certmail.files.enqueue import check_rows, enqueue_rows
from certmail.files.row import Terms
from certmail.files.source import Source, open_source
from certmail.files.tally import Tally
from certmail_config.base.errors import WrongUse
from certmail_config.onboarding.worker_requests import workers_alive
from certmail_config.settings import Settings
from certmail_worker.cli.send.rejects_file import rejects_file
from certmail_worker.cli.send.summary import print_summary
from certmail_worker.cli.support.output import Json, err, print_json


def send(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE|-", help="A CSV, Excel (.xlsx) or JSON file, or - for standard input."
        ),
    ],
    *,
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="COLUMN=FIELD",
            help="What a column is; with nothing behind = it is left out.",
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="FIELD=VALUE", help="What all rows have that do not say otherwise."
        ),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Of a file that is neither UTF-8 nor UTF-16: cp1252, say."
        ),
    ] = None,
    sheet: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Of an Excel file; else the first that is shown."),
    ] = None,
    time_zone: Annotated[
        str | None,
        typer.Option(metavar="ZONE", help="Of times without one, in rows that have no time_zone."),
    ] = None,
    date_order: Annotated[
        DateOrder | None, typer.Option(help="What 03/04/2026 is: day first, or month first.")
    ] = None,
    rejected: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write rejected rows there as they were, with the reason: corrected, that file can be sent.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check every row, and enqueue nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Enqueue reminders from a file. What is wrong with a row is said; the others are taken.

    Interrupted, run the same command again: what is in already is not sent twice.
    """
    terms = Terms(
        Layout(_pairs(map_, "--map"), _pairs(set_, "--set")),
        DateDefaults(known_zone(time_zone) if time_zone is not None else None, date_order),
    )
    settings = Settings.from_env()  # what is set wrongly is said before what is wrong with the file
    tally = Tally(details=json)

    with (
        open_source(file, terms, encoding=encoding, sheet=sheet) as source,
        Mailer.from_env(settings, proven=not dry_run) as mailer,
        rejects_file(rejected, file, source) as kept,
    ):
        for note in source.notes:
            err.print(note, markup=False)

        if dry_run:
            with _progress(source) as advance:
                check_rows(mailer, source, tally, kept=kept, advance=advance)
        else:
            with _said_how_far(tally), _progress(source) as advance:
                enqueue_rows(mailer, source, tally, kept=kept, advance=advance)

        workers = _workers(mailer) if tally.waiting and not json else None

    if json:
        print_json(tally.as_json(dry_run=dry_run))
    else:
        pairs = [("--map", each) for each in map_ or ()] + [("--set", each) for each in set_ or ()]
        single = [
            ("--encoding", encoding),
            ("--time-zone", time_zone),
            ("--date-order", date_order),
        ]
        again = _command(rejected or "", [*pairs, *single])
        print_summary(tally, rejected, again=again, dry_run=dry_run, workers=workers)

    if tally.rejected:
        raise typer.Exit(1)


def _workers(mailer: Mailer) -> int | None:
    """How many workers live; what was taken in was taken in, whether that can be told or not."""
    try:
        return workers_alive(mailer.redis)
    except RedisError:
        return None


def _command(file: str, options: Iterable[tuple[str, str | None]]) -> str:
    """The command that sends a file of rejected rows: read as the first was.

    A sheet of theirs is the only one.
    """
    given = [each for name, value in options if value is not None for each in (name, str(value))]
    return shlex.join(["certmail", "send", file, *given])


@contextmanager
def _said_how_far(tally: Tally) -> Iterator[None]:
    """Say to whoever interrupts it what is in."""
    try:
        yield
    except KeyboardInterrupt:
        err.print(f"Interrupted: {tally.taken} reminders are in, and some after them may be.")
        err.print("Run the same command again: what is in already is not sent twice.")
        raise


@contextmanager
def _progress(source: Source) -> Iterator[Callable[[], None]]:
    """Show how far it has come, where somebody looks; gives what counts a row."""
    if not err.is_terminal:
        yield lambda: None
        return

    # Rich's progress takes longer to import than six rows to send.
    from certmail_worker.cli.send.bar import bar  # noqa: PLC0415

    with bar(source) as advance:
        yield advance


def _pairs(given: Sequence[str] | None, option: str) -> dict[str, str]:
    found: dict[str, str] = {}

    for each in given or ():
        name, mark, value = each.partition("=")
        if not mark or not name.strip():
            raise WrongUse(
                "wrong_use",
                f"{option} {each!r} is not of the form NAME=VALUE.",
                "See `certmail send --help`.",
            )
        found[name.strip()] = value.strip()

    return found
