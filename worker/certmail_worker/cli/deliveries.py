"""`certmail deliveries`: the record, page by page or as a file."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from certmail_config.base.errors import Refused, WrongUse
from certmail_config.jobs.states import State
from certmail_config.settings import Settings
from certmail_config.sql.deliveries import Cursor, Row
from certmail_config.sql.engine import reachable, ready_database
from certmail_config.sql.record.counts import OF_DAY_MAX, count_hours, last_day
from certmail_config.sql.record.export import ExportForm, heading, lines
from certmail_config.sql.record.groups import group_counts
from certmail_config.sql.record.merged import read_all, read_merged
from certmail_config.sql.record.question import RecordQuestion
from certmail_config.sql.record.reasons import LOOKED_AT, NOT_ACCEPTED, count_reasons
from certmail_config.sql.totals import count_deliveries
from certmail_worker.cli.support.filters import filtered
from certmail_worker.cli.support.output import Json, err, fields, out, print_json, table
from certmail_worker.cli.support.times import parse_day

SHOWN = ("enqueued_at", "tenant", "campaign", "recipient", "state", "left_at", "reason", "job")


@filtered
def list_(
    *,
    wanted: RecordQuestion,
    limit: Annotated[
        int, typer.Option(min=1, max=10_000, help="At most so many, the newest first.")
    ] = 100,
    after: Annotated[
        str | None, typer.Option(metavar="CURSOR", help="Go on where the page before it ended.")
    ] = None,
    json: Json = False,
) -> None:
    """List deliveries from the record, the newest first."""
    cursor = Cursor.parse(after) if after is not None else None
    with ready_database(Settings.from_env()) as engine, reachable(engine), engine.connect() as db:
        page = read_merged(db, wanted.filters, after=cursor, limit=limit)
    if json:
        return print_json({"deliveries": page.rows, "next": str(page.next) if page.next else None})

    # What was asked for is known.
    known = replace(wanted.asked, state=wanted.states[0] if len(wanted.states) == 1 else None)
    shown = [name for name in SHOWN if getattr(known, name, None) is None]
    table(
        [name.replace("_", " ") for name in shown],
        [[_short(row, name) for name in shown] for row in page.rows],
    )
    if page.next is not None:
        err.print(f"\nThere are more. Go on with: --after {page.next}", markup=False)
    return None


@filtered
def totals(
    *,
    wanted: RecordQuestion,
    json: Json = False,
) -> None:
    """Count deliveries, by state; as JSON also by groups of states."""
    with ready_database(Settings.from_env()) as engine, reachable(engine), engine.connect() as db:
        found = count_deliveries(db, wanted.asked, states=wanted.states)
    if json:
        groups = group_counts(found.states)
        return print_json(asdict(found) | {"states": dict(found.states), "groups": groups})

    pairs: list[tuple[str, object]] = [(str(each), count) for each, count in found.states.items()]
    marked = [
        ("of these, wait for a person", found.held),
        ("of these, may have arrived twice", found.possible_duplicates),
    ]
    return fields(
        [*pairs, ("total", found.total), *((name, count) for name, count in marked if count)]
    )


@filtered
def reasons(
    *,
    wanted: RecordQuestion,
    json: Json = False,
) -> None:
    """Count why deliveries were not sent, wait or are uncertain; by state and code of the reason.

    Of each state 20,000 at most are looked at.
    """
    with ready_database(Settings.from_env()) as engine, reachable(engine), engine.connect() as db:
        found = count_reasons(db, wanted.asked, states=wanted.states or NOT_ACCEPTED)
    if json:
        return print_json(
            {"reasons": [asdict(each) for each in found.reasons], "capped": found.capped}
        )

    table(
        ["count", "state", "reason", "as in"],
        [[f"{each.count:,}", each.state, each.code, each.words] for each in found.reasons],
    )
    if found.capped:
        err.print(f"\nThere may be more: of each state {LOOKED_AT:,} were looked at.")
    return None


@filtered
def hours(
    *,
    wanted: RecordQuestion,
    day: Annotated[
        str | None,
        typer.Option(
            metavar="DAY",
            help="Such as 2026-11-25, in UTC. Unset: the last on which any was enqueued.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Count the deliveries that were enqueued on a day, by the hour (UTC) and by state.

    Of the day's newest 20,000.
    """
    chosen = parse_day(day, "--day")
    asked, states = wanted.asked, wanted.states
    with ready_database(Settings.from_env()) as engine, reachable(engine), engine.connect() as db:
        start = chosen or last_day(db, asked, states=states)
        found = count_hours(db, asked, start, states=states) if start is not None else None

    busy = list(found.busy) if found is not None else []
    if json:
        return print_json(
            {
                "day": f"{start:%Y-%m-%d}" if start is not None else None,
                "hours": [
                    {"at": each.at, "total": each.total, "states": dict(each.states)}
                    for each in busy
                ],
                "capped": found is not None and found.capped,
            }
        )

    seen = [state for state in State if any(state in each.states for each in busy)]
    if start is not None:
        err.print(f"Enqueued on {start:%Y-%m-%d}, by the hour (UTC):\n")
    table(
        ["hour", "total", *seen],
        [[f"{each.at:%H:%M}", each.total, *map(each.states.get, seen)] for each in busy],
    )
    if found is not None and found.capped:
        err.print(f"\nThere are more: these are the newest {OF_DAY_MAX:,} of the day.")
    return None


@filtered
def export(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="Where to; - is standard output.")],
    *,
    form: Annotated[
        ExportForm | None,
        typer.Option("--format", help="Unset: as the file's name says, else csv."),
    ] = None,
    wanted: RecordQuestion,
    json: Json = False,
) -> None:
    """Write deliveries to a file, the newest first.

    However many there are, they are read some at a time.
    """
    if json and file == "-":
        raise WrongUse(
            "wrong_use", "With - the deliveries themselves are on stdout.", "Leave --json out."
        )

    form = form or (ExportForm.JSONL if file.endswith((".jsonl", ".ndjson")) else ExportForm.CSV)
    with ready_database(Settings.from_env()) as engine, _opened(file, form.encoding) as target:
        count = _write(target, form, read_all(engine, wanted.filters))

    if json:
        return print_json({"file": file, "format": form, "deliveries": count})

    return (err if file == "-" else out).print(f"{count} deliveries written.")


@contextmanager
def _opened(file: str, encoding: str) -> Iterator[TextIO]:
    if file == "-":
        yield sys.stdout
        return
    try:
        with Path(file).open("w", encoding=encoding, newline="") as opened:
            yield opened
    except OSError as error:
        message = f"{file} cannot be written: {error.strerror}."
        raise Refused("file_unusable", message, "Name another file.") from None


def _write(target: TextIO, form: ExportForm, rows: Iterable[Row]) -> int:
    target.write(heading(form))
    count = 0

    for line in lines(form, rows):
        target.write(line)
        count += 1

    return count


def _short(row: Row, name: str) -> Any:
    """A reason's sentence is for `status`; a list has room for its code."""
    return (row[name] or "").partition(":")[0] if name == "reason" else row[name]
