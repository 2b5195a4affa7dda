"""What a year came to, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from certmail_config.jobs.states import State
from year.judging import ENDED, Sums
from year.run import YearPlayed

AIM: Final = 0.999
"""This share leaves within five minutes of its moment."""
NAMED: Final = 10
"""Of what is wrong, so many are named."""
TOO_MANY: Final = 429
QUARTERS: Final = 4


def report(played: YearPlayed) -> str:
    """A table by quarters, and a line for each thing that has to hold."""
    states = [str(each) for each in ENDED]
    lines = ["".join(f"{name:>12}" for name in ("quarter", "plan", "jobs", *states))]
    rows = [(f"Q{number}", sums) for number, sums in sorted(played.by_quarter.items())]
    for name, sums in [*rows, ("year", played.whole)]:
        counts = [sums.plan, sums.jobs.total(), *(sums.jobs[state] for state in states)]
        lines.append(f"{name:>12}" + "".join(f"{each:>12,}" for each in counts))

    whole = played.whole
    sent = whole.jobs[State.ACCEPTED]
    others = {
        status: n for status, n in sorted(played.answers.items()) if status not in {200, TOO_MANY}
    }
    lines += [
        "",
        f"{whole.punctual:.4%} left within five minutes of their moment",
        f"The latest left {max(whole.late, default=0)} s after it",
        f"Gmail answered 429 {played.answers[TOO_MANY]} times, and took {played.answers[200]:,}",
        *(f"Gmail answered {status} {n:,} times" for status, n in others.items()),
        f"{sent:,} mails in {played.seconds:.0f} s: {sent / max(played.seconds, 0.001):.0f} a second",
        "",
    ]
    ill = list(wrong(played))
    return "\n".join(
        [*lines, *(f"WRONG: {each}" for each in ill)] if ill else [*lines, "As planned."]
    )


def wrong(played: YearPlayed) -> list[str]:
    """What does not hold; nothing, if the year went as planned."""
    return list(_wrong(played))


def _wrong(played: YearPlayed) -> Iterator[str]:
    yield from played.wrong[:NAMED]
    if len(played.wrong) > NAMED:
        yield f"and {len(played.wrong) - NAMED:,} more"

    for number, sums in sorted(played.by_quarter.items()):
        yield from (f"Q{number}: {each}" for each in _wrong_sums(sums))
    if len(played.by_quarter) != QUARTERS:
        yield f"{len(played.by_quarter)} quarters were played"
    if played.answers[TOO_MANY]:
        yield f"Gmail answered 429 {played.answers[TOO_MANY]} times"
    if (share := played.whole.punctual) < AIM:
        yield f"only {share:.4%} left within five minutes of their moment"


def _wrong_sums(sums: Sums) -> Iterator[str]:
    if sums.plan != sums.jobs[State.ACCEPTED]:
        yield f"the plan has {sums.plan:,} mails, and {sums.jobs[State.ACCEPTED]:,} were accepted"
    if left := sums.jobs.total() - sum(sums.jobs[state] for state in ENDED):
        yield f"{left:,} jobs have not ended"
    for state in (State.FAILED, State.UNCERTAIN, State.EXPIRED):
        if sums.jobs[state]:
            yield f"{sums.jobs[state]:,} jobs are {state}, and nothing went wrong"
