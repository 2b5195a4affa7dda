"""The table that is printed after a storm, and every finding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import quantiles

from certmail_config.jobs.states import State
from chaos.plan import Kind, Storm
from chaos.run import Weathered

MAX = 40
"""Findings shown of each rule."""


def report(storm: Storm, done: Weathered) -> str:
    """All of it as text."""
    lines = [f"{name:24} {value}" for name, value in _rows(storm, done)]
    lines += list(_findings(done)) or ["nothing was found"]
    return "\n".join(lines)


def _rows(storm: Storm, done: Weathered) -> Iterator[tuple[str, str]]:
    read = done.read
    states = Counter(standing.state for standing in read.ledger.values())
    copies = Counter(read.copies)
    blows = Counter(trouble.kind for trouble in read.troubles)
    uncertain = {job for job, standing in read.ledger.items() if standing.state == State.UNCERTAIN}
    marked = {job for job, standing in read.ledger.items() if standing.possible_duplicate}
    others = {
        state: n for state, n in states.items() if state not in {State.ACCEPTED, State.UNCERTAIN}
    }
    yield "seed", str(storm.seed)
    yield "reminders", f"{len(read.receipts):,} of {storm.tenants} tenants, {storm.workers} workers"
    yield "copies", f"{len(read.copies):,}"
    yield "accepted", f"{states[State.ACCEPTED]:,}"
    yield (
        "uncertain",
        f"{len(uncertain):,} ({len(uncertain & copies.keys()):,} with a copy; {len(uncertain & read.looked_up)} could be looked up)",
    )
    if others:
        yield "others", ", ".join(f"{state}: {n}" for state, n in sorted(others.items()))
    yield (
        "duplicates on record",
        f"{len(marked):,} possible, {sum(n > 1 for n in copies.values()):,} with two copies",
    )
    yield "requests", f"{len(read.requests):,}"
    for kind in (Kind.KILL, Kind.FREEZE, Kind.REDIS, Kind.SQL, Kind.GATEWAY):
        yield _NAMES[kind], str(blows[kind])
    if done.not_started:
        yield "workers not started", f"{done.not_started}, for want of Redis"
    yield (
        "cuts",
        f"{blows[Kind.CUT]}, of {done.cuts} connections; {done.refused} times no receipt, and sent again",
    )
    yield (
        "faults",
        f"{done.faults.total()}: "
        + ", ".join(f"{name} {n}" for name, n in sorted(done.faults.items())),
    )

    if done.thrown:
        yield "garbage", _counts(done.thrown)
        yield "abused key answered", _counts(done.answers)

    for what, n in sorted(done.missed.items()):
        yield "did not come about", f"{n} times {what}"
    yield "punctuality", str(punctuality(read.delays))
    yield (
        "seconds",
        f"{done.storm_seconds:.0f} of storm, {done.settle_seconds:.0f} until all had settled",
    )


@dataclass(frozen=True, slots=True)
class Punctuality:
    """How many seconds reminders took from their time to Gmail's answer.

    Counted are tenants that send no garbage.
    """

    median: float
    late: float
    """Of twenty, nineteen were faster."""

    def __str__(self) -> str:
        return f"median {self.median:.2f} s, 95 % within {self.late:.2f} s"


def punctuality(delays: Sequence[float]) -> Punctuality:
    """Of all of them."""
    if len(delays) < 2:
        return Punctuality(sum(delays), sum(delays))
    parts = quantiles(delays, n=20)
    return Punctuality(parts[9], parts[18])


def compared(without: Punctuality, with_: Punctuality) -> str:
    """What garbage makes of others' punctuality, in a line."""
    median, late = (
        f"{100 * (after - before) / before:+.0f} %" if before else "?"
        for before, after in ((without.median, with_.median), (without.late, with_.late))
    )
    return f"punctuality of others with garbage, against {without} without: median {median}, 95 % {late}"


def _counts(found: Counter[str]) -> str:
    return f"{found.total():,}: " + ", ".join(f"{name} {n:,}" for name, n in sorted(found.items()))


_NAMES = {
    Kind.KILL: "kills",
    Kind.FREEZE: "freezes",
    Kind.REDIS: "Redis killed",
    Kind.SQL: "SQL locked",
    Kind.GATEWAY: "gateway killed",
}


def _findings(done: Weathered) -> Iterator[str]:
    shown: Counter[str] = Counter()
    for each in done.found:
        shown[each.rule] += 1
        if shown[each.rule] <= MAX:
            yield f"FOUND {each.rule}: {each.job or ''} {each.message}"
    for rule, n in shown.items():
        if n > MAX:
            yield f"FOUND {rule}: {n} in all"
