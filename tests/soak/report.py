"""The report of a soak: a table, what was counted, and the verdict. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from soak.accounts import findings, words
from soak.facts import Plan, Sample, Soaked
from soak.judging import Point, Rule, Trend, is_flat, slices, trend

MAX: Final = 20
"""Findings shown of each kind."""
TICKS: Final = "▁▂▃▄▅▆▇█"
WIDTH: Final = 32
SHOWN: Final = (
    "flower: RSS",
    "Valkey: RSS",
    "Redis: keys",
    "Redis: clients",
    "Redis: events kept",
    "Redis: unfinished",
    "SQL: reminders",
    "SQL: events",
    "SQL: size",
)
"""What is shown and not judged: it is not ours, or follows the load."""
GROWS: Final = ("RSS", "size")
"""Of the latter, what could grow by itself."""
MARKS: Final = (0, 500, 1_000, 2_500, 5_000, 7_500, 10_000, 15_000, 20_000, 30_000, 50_000)


@dataclass(frozen=True, slots=True)
class Row:
    """A series, what it does after the warm-up, and whether it is flat; None where nobody judges."""

    name: str
    points: Sequence[Point]
    trend: Trend | None
    rule: Rule | None = None

    @property
    def flat(self) -> bool | None:
        """None where it is not judged; not flat where nothing can be said."""
        if self.rule is None:
            return None
        return self.trend is not None and is_flat(self.trend, self.rule)


def rows(done: Soaked, warm_up: float) -> list[Row]:
    """All series, those that are judged first; what comes before `warm_up` is not judged."""

    def row(name: str, points: Sequence[Point], rule: Rule | None = None) -> Row:
        return Row(name, points, trend(each for each in points if each.at >= warm_up), rule)

    found = [
        row(f"{name}: {what}", points(done.samples, f"{name}: {what}"), rule)
        for what, rule in (
            ("RSS", Rule.SHARE),
            ("descriptors", Rule.COUNT),
            ("threads", Rule.COUNT),
        )
        for name in done.judged
    ]
    used = "Redis: memory used"
    found.append(row(used, points(done.samples, used, steady=True), Rule.SHARE))
    found += [
        row(f"late, s: {name}", of_slices, Rule.CHANCE if name == "p99" else None)
        for name, of_slices in slices(done.mails).items()
    ]
    found.append(row("late, s: p99, scheduled", slices(done.scheduled)["p99"]))
    return found + [row(name, points(done.samples, name)) for name in SHOWN]


def points(samples: Sequence[Sample], name: str, *, steady: bool = False) -> list[Point]:
    """A series; with `steady` only where the load was the same for long enough."""
    loads = ((each, each.steady if steady else each.load) for each in samples)
    return [
        Point(each.at, each.values[name], load)
        for each, load in loads
        if load is not None and name in each.values
    ]


def failures(done: Soaked, found: Sequence[Row]) -> list[str]:
    """Why the soak is not passed."""
    leaks = [f"not flat: {row.name}" for row in found if row.flat is False]
    lost = list(findings(done.accounts))
    return [*leaks, *_some(lost), *_some([f"answered wrongly: {each}" for each in done.wrong])]


def _some(found: Sequence[str]) -> list[str]:
    more = [f"… and {len(found) - MAX} more like the last"] if len(found) > MAX else []
    return [*found[:MAX], *more]


def report(plan: Plan, done: Soaked, warm_up: float) -> str:
    """All of it as text."""
    found, week = rows(done, warm_up), plan.week
    failed = failures(done, found)
    mailboxes = len(plan.tenants.few) + len(plan.tenants.many)
    lines = [
        (
            f"A week in {week.seconds / 60:g} minutes: {week.factor:.0f} times as fast,"
            f" {week.rate:g} reminders a second on average, {mailboxes:,} mailboxes."
        ),
        f"Judged is what comes after the warm-up of {warm_up:.0f} s, from {week.name(warm_up)} on.",
        "",
        *_table(found),
        "",
        words(done.accounts),
        *done.counts,
        *(f"log: {what}, {n} times" for what, n in done.errors.most_common()),
        *(_by_mailboxes(done) if plan.tenants.many else ()),
        "",
        *(f"FOUND {each}" for each in failed),
        "not passed" if failed else "passed: flat, and everything is accounted for",
    ]
    return "\n".join(lines)


def _table(found: Sequence[Row]) -> Iterator[str]:
    yield f"{'':26} {'begins':>9} {'median':>9} {'ends':>9} {'growth':>8}  {'allowed':8} {'':8} over the whole week"
    for row in found:
        values = [point.value for point in row.points]
        if not values:
            yield f"{row.name:26} nothing was measured"
            continue

        part = max(len(values) // 10, 1)
        grown = "" if row.rule is None else "?"
        if row.trend is not None and (row.rule is not None or row.name.endswith(GROWS)):
            by_count = row.rule is Rule.COUNT
            grown = f"{row.trend.risen:+.1f}" if by_count else f"{row.trend.share:+.1%}"
        verdict = {None: "", True: "flat", False: "NOT FLAT"}[row.flat]
        allowed = row.rule or ""
        if row.rule is Rule.CHANCE and row.trend is not None:
            grown += f" p={row.trend.chance:.2f}"
        yield (
            f"{row.name:26} {_number(median(values[:part])):>9} {_number(median(values)):>9}"
            f" {_number(median(values[-part:])):>9} {grown:>8}  {allowed:8} {verdict:8} {spark(values)}"
        )


def _number(value: float) -> str:
    return f"{value:,.3f}" if value < 10 else f"{value:,.1f}" if value < 1_000 else f"{value:,.0f}"


def spark(values: Sequence[float]) -> str:
    """A series in a few characters, from its least to its most."""
    size = max(len(values) / WIDTH, 1.0)
    parts = [
        values[int(n * size) : max(int((n + 1) * size), int(n * size) + 1)]
        for n in range(min(WIDTH, len(values)))
    ]
    heights = [median(part) for part in parts if part]
    low, high = min(heights), max(heights)
    step = (high - low) / (len(TICKS) - 1) or 1.0
    return "".join(TICKS[round((height - low) / step)] for height in heights)


def _by_mailboxes(done: Soaked) -> Iterator[str]:
    """What each worker's memory was when so many mailboxes had sent."""
    yield ""
    yield "memory by how many mailboxes had sent so far, MB:"
    for mark in MARKS:
        sample = next((each for each in done.samples if each.mailboxes >= mark), None)
        if sample is not None:
            yield f"{mark:8,}  " + "  ".join(_memory(done.judged, sample.values))


def _memory(names: Sequence[str], values: Mapping[str, float]) -> Iterator[str]:
    for name in names:
        yield f"{name} {values.get(f'{name}: RSS', 0):.1f}"
    yield f"Redis {values['Redis: memory used']:.1f}"
