"""The scoreboard of a storm of campaigns: what became of each planned mail, and what is wrong. Pure.

What holds for every job, whoever enqueued it, is judged as after every storm (chaos/scoreboard.py).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from certmail_config.campaigns.running.states import MomentState
from certmail_config.jobs.states import State
from chaos.campaigns.facts import CampaignRead, PlannedRow
from chaos.campaigns.story import Act, Deed
from chaos.scoreboard import Rule, findings

ENDS: Final = frozenset(
    {State.ACCEPTED, State.SUPPRESSED, State.EXPIRED, State.UNCERTAIN, State.FAILED}
)
WENT: Final = frozenset({State.ACCEPTED, State.UNCERTAIN})


class CampaignRule(StrEnum):
    """What must hold besides."""

    NO_END = "no_end"
    """Each planned mail ends as accepted, suppressed, expired, uncertain or failed."""
    STATES_DIFFER = "states_differ"
    """What is kept of a planned mail says the same as its job."""
    NOT_PLANNED = "not_planned"
    """What left stands for a planned mail: so none leaves twice for one."""
    TOO_LATE = "too_late"
    """Nothing begins that was called off before, once that was acknowledged."""
    NOT_TOLD = "not_told"
    """Upstream is refused nothing."""


@dataclass(frozen=True, slots=True)
class CampaignFinding:
    """A rule that was broken."""

    rule: CampaignRule | Rule
    message: str
    job: str | None = None


def found(read: CampaignRead) -> list[CampaignFinding]:
    """All that is wrong; empty after a storm that was weathered."""
    everywhere = [
        CampaignFinding(each.rule, each.message, each.job) for each in findings(read.read)
    ]
    told = [CampaignFinding(CampaignRule.NOT_TOLD, each) for each in read.wrong]
    return [*everywhere, *told, *_ends(read), *_states(read), *_strays(read), *_too_late(read)]


def end_of(row: PlannedRow, read: CampaignRead) -> str | None:
    """How a planned mail has ended; None where it has not.

    One that was withdrawn before it was ever a job is suppressed, too.
    """
    job = read.jobs.get(row.job or "")
    if job is not None:
        return job.state if job.state in ENDS else None
    return State.SUPPRESSED if row.state in {MomentState.WITHDRAWN, MomentState.ENDED} else None


def ends(read: CampaignRead) -> Counter[str]:
    """How many planned mails have ended how."""
    return Counter(end_of(row, read) or "no end" for row in read.planned)


def _ends(read: CampaignRead) -> Iterator[CampaignFinding]:
    for row in read.planned:
        if end_of(row, read) is None:
            yield CampaignFinding(
                CampaignRule.NO_END, f"{row}: {row.state}, {read.jobs.get(row.job or '')}", row.job
            )


def _states(read: CampaignRead) -> Iterator[CampaignFinding]:
    for row in read.planned:
        end = end_of(row, read)
        # What became of the last ones the planner notes when it looks at their reviewers next.
        noted = row.state in {MomentState.ENDED, MomentState.WITHDRAWN}
        if end is None or not (noted or end == State.SUPPRESSED):
            continue
        withdrawn = row.state == MomentState.WITHDRAWN
        if (noted and row.outcome != end) or (withdrawn and end != State.SUPPRESSED):
            message = (
                f"{row}: {row.state}, {row.outcome}; its job is {read.jobs.get(row.job or '')}"
            )
            yield CampaignFinding(CampaignRule.STATES_DIFFER, message, row.job)


def _strays(read: CampaignRead) -> Iterator[CampaignFinding]:
    standing = {row.job for row in read.planned}
    for job, row in read.jobs.items():
        if row.state in WENT and job not in standing:
            yield CampaignFinding(
                CampaignRule.NOT_PLANNED, f"{row.kind} in {row.campaign} is {row.state}", job
            )


def _too_late(read: CampaignRead) -> Iterator[CampaignFinding]:
    tells: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in read.planned:
        tells[row.job or ""].add((row.campaign, row.reviewer))
    resumed = {
        each.act.campaign.id: each.asked for each in read.told if each.act.deed is Deed.RESUME
    }

    for attempt in read.read.attempts:
        about, to = tells[attempt.job], read.to.get(attempt.job)
        for each in read.told:
            until = float("inf")
            if each.act.deed is Deed.PAUSE:
                until = resumed.get(each.act.campaign.id, until)
            if each.acknowledged < attempt.begun < until and _calls_off(each.act, about, to):
                message = (
                    f"begun {attempt.begun - each.acknowledged:.3f} s after {each.act.deed} of"
                    f" {each.act.reviewers or each.act.campaign.id} was acknowledged"
                )
                yield CampaignFinding(CampaignRule.TOO_LATE, message, attempt.job)


def _calls_off(act: Act, about: set[tuple[str, str]], to: str | None) -> bool:
    """Whether nothing of this may begin after the act."""
    id_ = act.campaign.id
    match act.deed:
        case Deed.PAUSE | Deed.STOP:
            return id_ in {campaign for campaign, _ in about}
        case Deed.COMPLETE | Deed.REMOVE:
            return any((id_, each) in about for each in act.reviewers)
        case Deed.READDRESS:
            before = {act.campaign.address(each) for each in act.reviewers}
            return to in before and any((id_, each) in about for each in act.reviewers)
        case _:
            return False
