"""Live progress of the demo on stderr, and what just happened, in words.

What waits, what is in flight, what is accepted.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from certmail_config.jobs.states import FINAL, State

WAITING = (State.SCHEDULED, State.READY)
IN_FLIGHT = (State.DISPATCHED, State.SENDING)
PLAIN_SECONDS = 5.0


class DemoProgress:
    """A live table on a terminal; elsewhere lines.

    A line for each tenant of which something has moved, every few seconds.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._news: list[str] = []
        self._printed: dict[str, tuple[int, int, int]] = {}
        self._printed_at = 0.0

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show it for the time of the block."""
        if not self._console.is_terminal:
            yield
            return
        with Live(console=self._console, refresh_per_second=8, transient=True) as self._live:
            yield
        self._live = None

    def say(self, news: str) -> None:
        """Something happened."""
        self._news = [*self._news[-5:], news]
        if self._live is None:
            # A terminal gets lines that end between words, a file each line whole.
            self._console.print(news, markup=False, soft_wrap=not self._console.is_terminal)

    def update(self, tenants: Mapping[str, Counter[State]]) -> None:
        """Show how far each tenant's reminders are."""
        if self._live is not None:
            self._live.update(Group(_table(tenants), Text(), *(_dim(line) for line in self._news)))
        elif time.monotonic() - self._printed_at >= PLAIN_SECONDS:
            self._printed_at = time.monotonic()

            for tenant, states in tenants.items():
                waiting, in_flight, accepted = counts = _counts(states)
                if self._printed.get(tenant) == counts:
                    continue
                self._printed[tenant] = counts
                self._console.print(
                    f"{tenant}: {waiting} waiting, {in_flight} in flight, {accepted} accepted",
                    markup=False,
                )


def _dim(line: str) -> Padding:
    """A line of news below the table, as many lines as it needs."""
    return Padding(Text(line, style="dim", no_wrap=False, overflow="fold"), (0, 0, 0, 2))


def _counts(states: Counter[State]) -> tuple[int, int, int]:
    return (
        sum(states[s] for s in WAITING),
        sum(states[s] for s in IN_FLIGHT),
        states[State.ACCEPTED],
    )


def _table(tenants: Mapping[str, Counter[State]]) -> Table:
    grid = Table(box=None, padding=(0, 2), header_style="bold")
    for column in ("tenant", "", "waiting", "in flight", "accepted", "other"):
        grid.add_column(column, justify="left" if column in {"tenant", ""} else "right")

    for tenant, states in tenants.items():
        waiting, in_flight, accepted = _counts(states)
        total = states.total()
        done = sum(states[state] for state in FINAL | {State.UNCERTAIN})
        bar = ProgressBar(total=max(total, 1), completed=done, width=30)
        grid.add_row(
            escape(tenant),
            bar,
            str(waiting),
            str(in_flight),
            f"[green]{accepted}[/green]",
            str(total - waiting - in_flight - accepted),
        )

    return grid
