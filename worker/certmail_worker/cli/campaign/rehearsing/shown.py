"""What came of a rehearsal, for people and programs; what went is shown as a plan is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from certmail_config.campaigns import why
from certmail_config.campaigns.plan import Moment
from certmail_config.campaigns.reading.rows import BadRow
from certmail_config.campaigns.written_days import written_instant
from certmail_config.jobs.states import State
from certmail_worker.cli.campaign import shown_json
from certmail_worker.cli.support.output import fields, out, print_long_json, table
from certmail_worker.rehearsal.outcome import DoneOnTheWay
from certmail_worker.rehearsal.rehearse import Rehearsed

_ROWS = 40


def show_days(moments: Sequence[Moment], *, whole: bool) -> None:
    """Print how many mails of which kind would go on each day."""
    days: Counter[tuple[date, str]] = Counter((each.date, each.kind) for each in moments)
    if not days:
        return

    # In the order in which a campaign comes to them.
    kinds = list(dict.fromkeys(each.kind for each in moments))
    dates = sorted({day for day, _ in days})
    rows = dates if whole else dates[:_ROWS]

    out.print("\nMails by day and kind:")
    table(["day", *kinds, "all"], [[why.day(day), *_counts(days, day, kinds)] for day in rows])
    if len(dates) > len(rows):
        out.print(f"and {len(dates) - len(rows):,} more days: --all, or --json", markup=False)


def show_end(found: Rehearsed, begins: datetime, seconds: float, folder: Path | None) -> None:
    """Print who was done on the way, what became of all jobs, and how long it took."""
    _done(found.outcome.done)
    days = (found.ended - begins).total_seconds() / 86400

    out.print()
    fields(
        [
            ("rehearsed", f"{days:,.0f} days in {seconds:.1f} s: {_times(days, seconds)}"),
            ("jobs", jobs_in_words(found.outcome.jobs)),
            *([("mails in", str(folder))] if folder is not None else []),
        ]
    )
    out.print("Nothing has left this machine.")


def show_json(
    found: Rehearsed,
    begins: datetime,
    seconds: float,
    bad: Sequence[tuple[str, BadRow]],
) -> None:
    """Print it as one document: a plan's, and what is known besides."""
    outcome = found.outcome
    members: dict[str, Any] = {
        **shown_json.document(outcome.went, [], bad),
        "done": [_done_row(each) for each in outcome.done],
        "jobs": [
            {"state": state, "reason": code, "count": count}
            for (state, code), count in sorted(outcome.jobs.items())
        ],
        "began": written_instant(begins),
        "ended": written_instant(found.ended),
        "seconds": round(seconds, 3),
    }
    if any(outcome.files):
        members["files"] = outcome.files
    print_long_json(members)


def jobs_in_words(jobs: Mapping[tuple[str, str], int]) -> str:
    """How many ended how; of those that did not go, why."""
    states: Counter[str] = Counter()
    for (state, _), count in jobs.items():
        states[state] += count

    told = []
    for state, count in states.most_common():
        codes = sorted((code, many) for (one, code), many in jobs.items() if one == state)
        named = ", ".join(f"{many:,} {code}" for code, many in codes)
        told.append(f"{count:,} {state}{'' if state == State.ACCEPTED else f' ({named})'}")
    return f"{states.total():,} = {' + '.join(told)}" if told else "none"


def _counts(
    days: Mapping[tuple[date, str], int], day: date, kinds: Sequence[str]
) -> list[str | None]:
    counts = [days.get((day, kind), 0) for kind in kinds]
    return [f"{each:,}" if each else None for each in (*counts, sum(counts))]


def _done(done: Sequence[DoneOnTheWay]) -> None:
    if not done:
        return

    after = sum(each.after for each in done)
    who = "1 reviewer was" if len(done) == 1 else f"{len(done):,} reviewers were"
    told = "no mail" if not after else f"[bold]{after:,} mails[/bold]"
    out.print(f"\n{who} done on the way, and got {told} after that:")
    table(
        ["done", "reviewer", "mails before", "mails after"],
        [
            [
                f"{why.day(each.completion.at.date())}, {each.completion.at:%H:%M %Z}",
                each.completion.reviewer,
                each.before,
                each.after,
            ]
            for each in done[:_ROWS]
        ],
    )
    if len(done) > _ROWS:
        out.print(f"and {len(done) - _ROWS:,} more: --json", markup=False)


def _done_row(each: DoneOnTheWay) -> dict[str, Any]:
    one = each.completion
    return {
        "campaign": one.campaign,
        "reviewer": one.reviewer,
        "at": written_instant(one.at),
        "mails_before": each.before,
        "mails_after": each.after,
    }


def _times(days: float, seconds: float) -> str:
    return f"{days * 86400 / max(seconds, 0.001):,.0f} times as fast"
