"""What of a plan comes too late under the mailbox's limits, for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from certmail_config.campaigns import why
from certmail_config.campaigns.departures import Late, MailboxPace
from certmail_worker.cli.support.output import out, table

_ROWS = 20


def show(found: Sequence[Late], pace: MailboxPace, *, whole: bool) -> None:
    """Print how many mails leave on a later day than planned, and which days they are of."""
    if not found:
        return

    missed = sum(each.after_due for each in found)
    out.print(
        f"\nToo many for the mailbox ({pace.per_minute:,.0f} a minute, {pace.per_day:,} in 24 hours; "
        f"--units-per-minute, --per-day): {len(found):,} leave on a later day than planned"
        f"{f', [bold]{missed:,} of them after the due date[/bold]' if missed else ''}.",
    )

    days = Counter((each.moment.date, each.leaves.date(), each.after_due) for each in found)
    rows = sorted(days.items())
    table(["planned for", "leave on", "mails", ""], [_row(*each) for each in _some(rows, whole)])
    if not whole and len(rows) > _ROWS:
        out.print(f"and {len(rows) - _ROWS:,} more days: --all, or --json", markup=False)


_Days = tuple[date, date, bool]


def _some(rows: list[tuple[_Days, int]], whole: bool) -> list[tuple[_Days, int]]:
    return rows if whole else rows[:_ROWS]


def _row(days: _Days, count: int) -> list[str]:
    planned, leaves, after_due = days
    return [
        why.day(planned),
        why.day(leaves),
        f"{count:,}",
        "after the due date" if after_due else "",
    ]
