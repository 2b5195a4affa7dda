"""`certmail send`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal, TextIO

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from certmail import Mailer, Receipt
from certmail_config.errors import ReminderRejected, StoresUnreachable, WrongUse
from certmail_config.reminder import Reminder
from certmail_config.room import CODES
from certmail_config.settings import Settings
from certmail_config.states import State
from certmail_worker.cli.output import Json, err, print_json, table
from certmail_worker.cli.rows import Row, read_rows, sniff

NOTHING_TAKEN = {*CODES, "durability_unproven"}
"""Found out before a batch is enqueued."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("send")(send)


def send(
    file: Annotated[
        str, typer.Argument(metavar="FILE|-", help="A CSV or JSONL file, or - for standard input.")
    ],
    *,
    json: Json = False,
) -> None:
    """Enqueue reminders from a file. What is wrong with a row is said; the others are taken."""
    with _open(file) as (source, form), Mailer.from_env(Settings.from_env()) as mailer:
        report = enqueue_rows(mailer, read_rows(source, form))
    if json:
        print_json(report)
    else:
        _print(report)
    if report["rejected"]:
        raise typer.Exit(1)


def enqueue_rows(mailer: Mailer, rows: Iterator[Row], *, quiet: bool = False) -> dict[str, Any]:
    """Enqueue rows with progress on stderr; gives the report. Raises StoresUnreachable saying how far it came."""
    good: list[Row] = []
    rejected: list[dict[str, object]] = []
    receipts: list[Receipt] = []

    def reminders() -> Iterator[Reminder]:
        for row in rows:
            if isinstance(row.reminder, ReminderRejected):
                rejected.append(_rejection(row, row.reminder))
            else:
                good.append(row)
                yield row.reminder

    columns = (SpinnerColumn(), TextColumn("{task.completed:.0f} reminders enqueued"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=quiet) as progress:
        task = progress.add_task("", total=None)
        try:
            for n, answer in enumerate(mailer.send_many(reminders())):
                if isinstance(answer, ReminderRejected):
                    rejected.append(_rejection(good[n], answer))
                else:
                    receipts.append(answer)
                progress.advance(task)
        except StoresUnreachable as error:
            # Of the batch that was on its way to a server that does not answer, nobody knows.
            others = "none of the others is" if error.code in NOTHING_TAKEN else "some of the others may be"
            message = f"{error.message} {len(receipts)} reminders are in; {others}."
            remedy = f"{error.remedy} Then run the same command again: what is in already is not sent twice."
            raise StoresUnreachable(error.code, message, remedy) from error
    duplicates = sum(receipt.duplicate for receipt in receipts)
    return {
        "enqueued": len(receipts) - duplicates,
        "duplicates": duplicates,
        "rejected": sorted(rejected, key=lambda item: str(item["row"]).zfill(12)),
        "receipts": [receipt.as_json() for receipt in receipts],
    }


def _rejection(row: Row, why: ReminderRejected) -> dict[str, object]:
    return {"row": row.line, "field": why.field, "code": why.code, "message": why.message}


@contextmanager
def _open(file: str) -> Iterator[tuple[TextIO, Literal["csv", "jsonl"]]]:
    # Bytes that are not UTF-8 are kept apart, so that one bad row does not cost the others.
    if file == "-":
        sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")  # type: ignore[union-attr]
        first = sys.stdin.readline()
        yield _Chained(first, sys.stdin), sniff("-", first)  # type: ignore[misc]
        return
    try:
        with Path(file).open(encoding="utf-8", errors="surrogateescape", newline="") as source:
            first = source.readline()
            source.seek(0)
            yield source, sniff(file, first)
    except OSError as error:
        raise WrongUse("unreadable_file", f"{file} cannot be read: {error.strerror}.") from None


class _Chained:
    """A stream whose first line was looked at already."""

    def __init__(self, first: str, rest: TextIO) -> None:
        self._lines = chain([first] if first else [], rest)

    def __iter__(self) -> Iterator[str]:
        return self._lines


def _print(report: dict[str, Any]) -> None:
    rejected = report["rejected"]
    states = [receipt["state"] for receipt in report["receipts"] if not receipt["duplicate"]]
    suppressed = states.count("suppressed")
    note = f" ({suppressed} of them suppressed: nothing left to decide)" if suppressed else ""
    err.print(
        f"{report['enqueued']} enqueued{note}, {report['duplicates']} duplicates, {len(rejected)} rejected."
    )
    if said := _outlook(report["receipts"]):
        err.print(said)
    if rejected:
        table(
            ["row", "field", "code", "why"],
            [[item["row"], item["field"], item["code"], item["message"]] for item in rejected],
        )


def _outlook(receipts: Sequence[Mapping[str, Any]]) -> str:
    """When the last will leave, and how many nobody can say that of."""
    waiting = [receipt for receipt in receipts if receipt["state"] in {State.READY, State.SCHEDULED}]
    times = [receipt["forecast_at"] for receipt in waiting if receipt["forecast_at"] is not None]
    parts = []
    if times:
        parts.append(f"The last leaves at about {max(times)}, as fast as Google allows.")
    if unknown := len(waiting) - len(times):
        parts.append(f"{unknown} wait for a connection that does not work yet (`certmail connections list`).")
    return " ".join(parts)
