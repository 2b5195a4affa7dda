"""The table that is printed after a storm of campaigns, and every finding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from certmail_config.jobs.states import State
from chaos.campaigns.run import CampaignStorm, CampaignsWeathered
from chaos.campaigns.scoreboard import ENDS, ends

MAX: Final = 40
"""Findings shown."""


def report(storm: CampaignStorm, done: CampaignsWeathered) -> str:
    """All of it as text."""
    lines = [f"{name:24} {value}" for name, value in _rows(storm, done)]
    findings = [f"{each.rule}: {each.message} ({each.job or ''})" for each in done.found]
    more = [f"and {len(findings) - MAX} more"] if len(findings) > MAX else []
    return "\n".join([*lines, *(findings[:MAX] or ["nothing was found"]), *more])


def _rows(storm: CampaignStorm, done: CampaignsWeathered) -> Iterator[tuple[str, str]]:
    read = done.read
    found = ends(read)
    blows = Counter(str(each.kind) for each in read.read.troubles)
    never = sum(not row.job or row.job not in read.jobs for row in read.planned)
    kinds = Counter(row.kind for row in read.jobs.values() if row.state == State.ACCEPTED)
    reasons = Counter(
        row.reason.partition(":")[0] for row in read.jobs.values() if row.state == State.SUPPRESSED
    )
    equation = " + ".join(f"{found[state]} {state}" for state in State if state in ENDS)
    yield "seed", f"{storm.seed}, {storm.database}"
    yield "planned mails", f"{len(read.planned)} = {equation}"
    yield "never a job", f"{never} of those suppressed"
    yield "jobs", f"{len(read.jobs)}; copies {len(read.read.copies)}"
    yield "accepted", _counts(kinds)
    yield "suppressed", _counts(reasons)
    yield "told", f"{_counts(Counter(each.act.deed for each in read.told))}; {done.again} again"
    yield "blows", _counts(blows)
    yield "Google's faults", _counts(done.faults)
    for what, number in sorted(done.missed.items()):
        yield "did not come about", f"{number} times {what}"
    yield (
        "seconds",
        f"{done.storm_seconds:.0f} of storm, {done.settle_seconds:.0f} until all had settled",
    )


def _counts(found: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(found.items())) or "none"
