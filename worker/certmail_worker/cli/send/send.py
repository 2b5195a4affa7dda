"""`certmail send`."""

from __future__ import annotations

import shlex
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from redis.exceptions import RedisError

from certmail import BatchInterrupted, Mailer
from certmail_config.enquiries import workers_alive
from certmail_config.errors import ReminderRejected, StoresUnreachable, WrongUse
from certmail_config.reminder import Reminder
from certmail_config.settings import Settings
from certmail_worker.cli.files.columns import Layout
from certmail_worker.cli.files.dates import DateOrder, Habits, known_zone
from certmail_worker.cli.files.row import Rejects, Row, Terms
from certmail_worker.cli.files.source import Source, open_source
from certmail_worker.cli.send.summary import print_summary
from certmail_worker.cli.send.tally import Tally
from certmail_worker.cli.support.output import Json, err, print_json


def send(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE|-", help="A CSV, Excel (.xlsx) or JSON file, or - for standard input."),
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
    encoding: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Of a file that is neither UTF-8 nor UTF-16: cp1252, say."),
    ] = None,
    sheet: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of an Excel file; else the first that is shown.")
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
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every row, and enqueue nothing.")] = False,
    json: Json = False,
) -> None:
    """Enqueue reminders from a file. What is wrong with a row is said; the others are taken.

    Interrupted, run the same command again: what is in already is not sent twice.
    """
    terms = Terms(
        Layout(_pairs(map_, "--map"), _pairs(set_, "--set")),
        Habits(known_zone(time_zone) if time_zone is not None else None, date_order),
    )
    settings = Settings.from_env()  # what is set wrongly is said before what is wrong with the file
    tally = Tally(details=json)
    with (
        open_source(file, terms, encoding=encoding, sheet=sheet) as source,
        Mailer.from_env(settings, proven=not dry_run) as mailer,
        _kept(rejected, file, source) as kept,
    ):
        for note in source.notes:
            err.print(note, markup=False)
        (check_rows if dry_run else enqueue_rows)(mailer, source, tally, source=source, kept=kept)
        workers = _workers(mailer) if tally.waiting and not json else None
    if json:
        print_json(tally.as_json(dry_run=dry_run))
    else:
        pairs = [("--map", each) for each in map_ or ()] + [("--set", each) for each in set_ or ()]
        single = [("--encoding", encoding), ("--time-zone", time_zone), ("--date-order", date_order)]
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
    """The command that sends a file of rejected rows: read as the first was. A sheet of theirs is the only one."""
    given = [each for name, value in options if value is not None for each in (name, str(value))]
    return shlex.join(["certmail", "send", file, *given])


def enqueue_rows(
    mailer: Mailer,
    rows: Iterable[Row],
    tally: Tally,
    *,
    source: Source | None = None,
    kept: Rejects | None = None,
) -> None:
    """Enqueue rows. With a source, progress goes to stderr. Raises StoresUnreachable, or WrongUse, saying how far it came."""
    open_rows = _OpenRows(tally, kept)
    try:
        with _progress(source) as advance:
            for answer in mailer.send_many(open_rows.reminders(rows)):
                open_rows.answer(answer)
                advance()
            open_rows.settle()
    except BatchInterrupted as error:
        doubt = f"of the {error.unknown} after them nobody knows, and " if error.unknown else ""
        message = f"{error.message} {tally.taken} reminders are in; {doubt}none of the others is."
        remedy = f"{error.remedy} Then run the same command again: what is in already is not sent twice."
        raise StoresUnreachable(error.code, message, remedy) from error
    except WrongUse as error:  # the file cannot be read to its end, or that of the rejected rows not written
        message = f"{error.message} {tally.taken} reminders before are in."
        raise WrongUse(error.code, message, error.remedy) from error
    except KeyboardInterrupt:
        err.print(f"Interrupted: {tally.taken} reminders are in, and some after them may be.")
        err.print("Run the same command again: what is in already is not sent twice.")
        raise


def check_rows(
    mailer: Mailer,
    rows: Iterable[Row],
    tally: Tally,
    *,
    source: Source | None = None,
    kept: Rejects | None = None,
) -> None:
    """Check rows as far as that is possible without enqueueing. Raises StoresUnreachable."""
    with _progress(source) as advance:
        for row in rows:
            tally.look(row)
            given = row.reminder
            why = given if isinstance(given, ReminderRejected) else mailer.check(given)
            if why is not None:
                _reject(row, why, tally, kept)
            elif isinstance(given, Reminder):
                tally.allow(given)
            advance()


class _OpenRows:
    """The rows whose fate is still open, in the order of the file: that of a wrong one waits for those before it."""

    def __init__(self, tally: Tally, kept: Rejects | None) -> None:
        self._tally = tally
        self._kept = kept
        self._rows: deque[Row] = deque()

    def reminders(self, rows: Iterable[Row]) -> Iterator[Reminder]:
        for row in rows:
            self._tally.look(row)
            self._rows.append(row)
            if isinstance(row.reminder, Reminder):
                yield row.reminder
            elif len(self._rows) == 1:
                self.settle()

    def answer(self, answer: Any) -> None:
        """Note the answer to the first reminder that has none yet."""
        self.settle()
        row = self._rows.popleft()
        if isinstance(answer, ReminderRejected):
            _reject(row, answer, self._tally, self._kept)
        else:
            self._tally.receive(answer)
        self.settle()

    def settle(self) -> None:
        """Reject the wrong rows that wait for no other."""
        while self._rows and isinstance(why := self._rows[0].reminder, ReminderRejected):
            _reject(self._rows.popleft(), why, self._tally, self._kept)


def _reject(row: Row, why: ReminderRejected, tally: Tally, kept: Rejects | None) -> None:
    tally.reject(row, why)
    if kept is not None:
        field = f"{why.field}: " if why.field else ""
        kept.add(row, f"line {row.line}: {field}{why.message} ({why.code})")


@contextmanager
def _kept(name: str | None, file: str, source: Source) -> Iterator[Rejects | None]:
    """The file of rejected rows, which is written over; raises WrongUse. It has what is known even if the run is interrupted."""
    if name is None:
        yield None
        return
    path = Path(name)
    with ExitStack() as stack:
        with _writable(name):
            if file != "-" and path.exists() and path.samefile(file):
                message = f"{name} is the file that is sent: it would be written over before it is read."
                raise WrongUse("wrong_use", message, "Name another file for the rejected rows.")
            target = stack.enter_context(path.open("wb"))
        kept = _Kept(source.writer(target, name), name)
        stack.callback(kept.close)
        yield kept


class _Kept:
    """Writes rejected rows; that it cannot is said of the file's name."""

    def __init__(self, writer: Rejects, name: str) -> None:
        self._writer = writer
        self._name = name

    def add(self, row: Row, reason: str) -> None:
        with _writable(self._name):
            self._writer.add(row, reason)

    def close(self) -> None:
        with _writable(self._name):
            self._writer.close()


@contextmanager
def _writable(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WrongUse("unwritable_file", f"{name} cannot be written: {error.strerror}.") from None


@contextmanager
def _progress(source: Source | None) -> Iterator[Any]:
    """Show how far it has come, where somebody looks; gives what counts a row."""
    if source is None or not err.is_terminal:
        yield lambda: None
        return
    from certmail_worker.cli.send.bar import bar  # noqa: PLC0415 - Rich's progress takes longer to import than six rows to send

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
