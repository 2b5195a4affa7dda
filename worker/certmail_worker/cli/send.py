"""`certmail send`."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from certmail import BatchInterrupted, Mailer, Receipt
from certmail_config.errors import ReminderRejected, StoresUnreachable, WrongUse
from certmail_config.reminder import Reminder
from certmail_config.settings import Settings
from certmail_config.states import State
from certmail_worker.cli.output import Json, err, print_json, table
from certmail_worker.cli.rejects import Rejects, rejects
from certmail_worker.cli.rows import Layout, Row, read_rows
from certmail_worker.cli.source import Source, open_source

MOST_SHOWN = 50
"""Rejected rows on a terminal; all are in the file, or in the JSON."""


def send(
    file: Annotated[
        str, typer.Argument(metavar="FILE|-", help="A CSV or JSONL file, or - for standard input.")
    ],
    *,
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="COLUMN=FIELD", help="What a column is; with nothing behind = it is left out."
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="What all rows have that do not say otherwise."),
    ] = None,
    rejected: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write rejected rows there, with the reason: corrected, that file can be sent.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every row, and enqueue nothing.")] = False,
    json: Json = False,
) -> None:
    """Enqueue reminders from a file. What is wrong with a row is said; the others are taken.

    Interrupted, run the same command again: what is in already is not sent twice.
    """
    layout = Layout(_pairs(map_, "--map"), _pairs(set_, "--set"))
    with open_source(file) as source, Mailer.from_env(Settings.from_env(), proven=not dry_run) as mailer:
        rows = read_rows(source, source.form, layout)
        with rejects(rejected, source.form) as kept:
            report = (check_rows if dry_run else enqueue_rows)(mailer, rows, source=source, kept=kept)
    if json:
        print_json(report)
    else:
        _print(report, rejected)
    if report["rejected"]:
        raise typer.Exit(1)


def enqueue_rows(
    mailer: Mailer, rows: Iterator[Row], *, source: Source | None = None, kept: Rejects | None = None
) -> dict[str, Any]:
    """Enqueue rows; gives the report. With a source, progress goes to stderr. Raises StoresUnreachable saying how far it came."""
    found = _Found(kept)
    good: deque[Row] = deque()  # those whose answer is still to come

    def reminders() -> Iterator[Reminder]:
        for row in rows:
            if isinstance(row.reminder, ReminderRejected):
                found.reject(row, row.reminder)
            else:
                good.append(row)
                yield row.reminder

    receipts: list[Receipt] = []
    try:
        with _progress(source) as advance:
            for answer in mailer.send_many(reminders()):
                row = good.popleft()
                if isinstance(answer, ReminderRejected):
                    found.reject(row, answer)
                else:
                    receipts.append(answer)
                advance()
    except BatchInterrupted as error:
        doubt = f"of the {error.unknown} after them nobody knows, and " if error.unknown else ""
        message = f"{error.message} {len(receipts)} reminders are in; {doubt}none of the others is."
        remedy = f"{error.remedy} Then run the same command again: what is in already is not sent twice."
        raise StoresUnreachable(error.code, message, remedy) from error
    except KeyboardInterrupt:
        err.print(f"Interrupted: {len(receipts)} reminders are in, and some after them may be.")
        err.print("Run the same command again: what is in already is not sent twice.")
        raise
    duplicates = sum(receipt.duplicate for receipt in receipts)
    return {
        "enqueued": len(receipts) - duplicates,
        "duplicates": duplicates,
        "rejected": found.in_order(),
        "receipts": [receipt.as_json() for receipt in receipts],
    }


def check_rows(
    mailer: Mailer, rows: Iterator[Row], *, source: Source | None = None, kept: Rejects | None = None
) -> dict[str, Any]:
    """Check rows as far as that is possible without enqueueing; gives the report. Raises StoresUnreachable."""
    found, good = _Found(kept), 0
    with _progress(source) as advance:
        for row in rows:
            why = row.reminder if isinstance(row.reminder, ReminderRejected) else mailer.check(row.reminder)
            if why is None:
                good += 1
            else:
                found.reject(row, why)
            advance()
    return {"dry_run": True, "good": good, "rejected": found.in_order()}


class _Found:
    """The rows that were rejected."""

    def __init__(self, kept: Rejects | None) -> None:
        self._kept = kept
        self._rows: list[tuple[int, dict[str, object]]] = []

    def reject(self, row: Row, why: ReminderRejected) -> None:
        said: dict[str, object] = {
            "row": row.line,
            "field": why.field,
            "code": why.code,
            "message": why.message,
        }
        self._rows.append((row.line, said))
        if self._kept is not None:
            self._kept.add(row, why)

    def in_order(self) -> list[dict[str, object]]:
        """As they stand in the file: some are found out only when they are sent."""
        return [said for _, said in sorted(self._rows, key=lambda each: each[0])]


@contextmanager
def _progress(source: Source | None) -> Iterator[Any]:
    """Show how far it has come, where somebody looks; gives what counts a row."""
    if source is None or not err.is_terminal:
        yield lambda: None
        return
    from certmail_worker.cli.send_bar import bar  # noqa: PLC0415 - Rich's progress takes longer to import than six rows to send

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


def _print(report: dict[str, Any], file: str | None) -> None:
    rejected = report["rejected"]
    if "good" in report:
        err.print(f"{report['good']} could be enqueued, {len(rejected)} rejected. Nothing was enqueued.")
    else:
        states = [receipt["state"] for receipt in report["receipts"] if not receipt["duplicate"]]
        suppressed = states.count("suppressed")
        note = f" ({suppressed} of them suppressed: nothing left to decide)" if suppressed else ""
        err.print(
            f"{report['enqueued']} enqueued{note}, {report['duplicates']} duplicates{_known(report['receipts'])}, "
            f"{len(rejected)} rejected."
        )
        if said := _outlook(report["receipts"]):
            err.print(said)
    if rejected:
        shown = rejected[:MOST_SHOWN]
        table(
            ["row", "field", "code", "why"],
            [[item["row"], item["field"], item["code"], item["message"]] for item in shown],
        )
        if len(rejected) > len(shown):
            err.print(f"… and {len(rejected) - len(shown)} more.")
        if file is not None:
            err.print(f"They are in {file}: correct them there, and send that file.", markup=False)


def _known(receipts: Sequence[Mapping[str, Any]]) -> str:
    """Where those are that were in already: a duplicate need not have arrived."""
    states = Counter(receipt["state"] for receipt in receipts if receipt["duplicate"])
    if not states.keys() & {State.UNCERTAIN, State.FAILED}:
        return ""
    said = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    doubt = "; see `certmail uncertain list`" if State.UNCERTAIN in states else ""
    return f" ({said}{doubt})"


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
