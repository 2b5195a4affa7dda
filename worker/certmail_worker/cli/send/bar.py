"""The bar that `certmail send` shows on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from certmail.files.source import Source
from certmail_worker.cli.support.output import err


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        """How many rows, and how many a second."""
        done, seconds = int(task.fields["rows"]), task.elapsed or 0.0
        return Text(f"{done:,} rows, {done / seconds:,.0f}/s" if seconds > 0 else f"{done:,} rows")


@contextmanager
def bar(source: Source) -> Iterator[Callable[[], None]]:
    """A bar over the file's bytes, with the rate and the time that remains.

    Gives the function that counts a row.
    """
    columns = (
        SpinnerColumn(),
        BarColumn(),
        _Rate(),
        TextColumn("remaining"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err.console, transient=True) as progress:
        task = progress.add_task("", total=source.total, rows=0)
        rows = 0

        def advance() -> None:
            nonlocal rows
            rows += 1
            if rows % 50 == 0:
                progress.update(task, completed=source.taken, rows=rows)

        yield advance
