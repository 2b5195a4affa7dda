"""Output of commands: one JSON document on stdout with --json, else text for a person."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from certmail_config.base.dates import rfc3339
from certmail_config.base.errors import CertmailError
from certmail_config.base.redaction import visible

if TYPE_CHECKING:
    from certmail_worker.cli.support.terminal import Terminal

Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout; progress goes to stderr.")
]


class Printer:
    """Prints to one of the two streams.

    Rich is imported for what needs it: markup, tables, what moves.
    """

    def __init__(self, *, stderr: bool) -> None:
        self._stderr = stderr

    @property
    def stream(self) -> TextIO:
        """The stream as it is now."""
        return sys.stderr if self._stderr else sys.stdout

    @cached_property
    def console(self) -> Terminal:
        """The same stream for Rich."""
        from certmail_worker.cli.support.terminal import Terminal  # noqa: PLC0415 - see the class

        return Terminal(stderr=self._stderr, highlight=False, soft_wrap=True)

    @property
    def is_terminal(self) -> bool:
        """Whether a person is likely to look at it."""
        return self.stream.isatty()

    def print(self, text: str = "", *, markup: bool = True, end: str = "\n") -> None:
        """Print a line; with `markup`, what stands in square brackets is Rich's."""
        if markup and "[" in text:
            self.console.print(text, end=end)
        else:
            self.stream.write(visible(text) + end)
        # Whoever reads a file or a pipe while the command goes on sees it now.
        self.stream.flush()


out = Printer(stderr=False)
err = Printer(stderr=True)

ENDLESS = 10_000
_UNSEEN = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What JSON need not escape, but a terminal acts upon; it stands in strings only."""


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether a command line asked for JSON, even one that could not be understood."""
    return "--json" in arguments


def print_json(value: Any) -> None:
    """Print one document; times are RFC 3339 UTC."""
    # An encoding that lacks characters would have them replaced, which JSON need not suffer.
    whole = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    document = json.dumps(value, indent=2, ensure_ascii=not whole, default=_plain)
    sys.stdout.write(_UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", document) + "\n")
    sys.stdout.flush()


def print_long_json(members: Mapping[str, Any]) -> None:
    """Print one document whose iterators are lists, an item a line, each as it is made.

    Laid out as other documents are, a list of a million takes minutes.
    """
    whole = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"

    def text(value: Any) -> str:
        written = json.dumps(value, ensure_ascii=not whole, default=_plain)
        return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", written)

    write = sys.stdout.write
    for number, (name, value) in enumerate(members.items()):
        write(f"{',' if number else '{'}\n{text(name)}: ")
        if not isinstance(value, Iterator):
            write(text(value))
            continue

        write("[")
        for place, item in enumerate(value):
            write(f"{',' if place else ''}\n{text(item)}")
        write("]")

    write("\n}\n")
    sys.stdout.flush()


def fail(error: CertmailError, status: int, *, as_json: bool) -> int:
    """Say what is wrong and what to do; gives the exit status."""
    if as_json:
        print_json({"error": error.as_json()})
    else:
        err.print("[red]certmail:[/red] " if err.is_terminal else "certmail: ", end="")
        err.print(error.message, markup=False)
        if error.remedy:
            err.print(f"  {error.remedy}", markup=False)
    return status


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; empty cells are dashes."""
    # See Printer.
    from certmail_worker.cli.support.terminal import Table, Terminal, escape  # noqa: PLC0415

    grid = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        grid.add_column(column, overflow="fold")
    for row in rows:
        grid.add_row(*(escape(_cell(value)) for value in row))
    # In a file or a pipe a row is one line, however long.
    (out.console if out.is_terminal else Terminal(highlight=False, width=ENDLESS)).print(grid)


def fields(pairs: Iterable[tuple[str, object]]) -> None:
    """Print one thing as name and value, a line each."""
    from certmail_worker.cli.support.terminal import Table, escape  # noqa: PLC0415 - see Printer

    grid = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    grid.add_column(style="bold")
    grid.add_column(overflow="fold")
    for name, value in pairs:
        grid.add_row(name, escape(_cell(value)))
    out.console.print(grid)


def when(value: datetime | None) -> str | None:
    """RFC 3339 in UTC, to the millisecond."""
    return rfc3339(value) if value else None


def _cell(value: object) -> str:
    if value is None or value == "":
        return "—"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    return visible(str(value), one_line=True)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return rfc3339(value)
    raise TypeError(type(value).__name__)
