"""A storm's scoreboard: it counts what became of planned mails, and finds each thing that is wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import pytest

from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.reviewer import Reviewer
from chaos.campaigns.cast import LATER, OVERDUE, CastCampaign, cast
from chaos.campaigns.facts import CampaignRead, JobRow, PlannedRow
from chaos.campaigns.scoreboard import CampaignRule, ends, found
from chaos.campaigns.story import Act, Deed, story
from chaos.campaigns.upstream import Told
from chaos.facts import Attempt, Read, Standing

BOX: Final = "reviews@t00.example"
Q4: Final = CastCampaign("t00", "c0", 4, shared=False, new=True)
NOW: Final = datetime(2026, 11, 2, 8, tzinfo=UTC)


def planned(reviewer: str, job: str | None, state: str, outcome: str | None) -> PlannedRow:
    return PlannedRow("t00", "c0", reviewer, "start", 1, "notice", job, state, outcome)


def read_of(*rows: PlannedRow, copies: int = 1, **jobs: str) -> CampaignRead:
    """Jobs by their states; each accepted one was begun at 100."""
    went = [job for job, state in jobs.items() if state == "accepted"]
    standing = {
        job: Standing(state, outcomes=("accepted",) if job in went else ())
        for job, state in jobs.items()
    }
    return CampaignRead(
        read=Read(
            receipts=dict.fromkeys(jobs, BOX),
            copies=went * copies,
            ledger=standing,
            record=standing,
            attempts=[Attempt(job, 1, "1", 100.0, "accepted") for job in went],
        ),
        planned=rows,
        jobs={job: JobRow("c0", "notice", state, "") for job, state in jobs.items()},
        to={job: Q4.address(row.reviewer) for row in rows if (job := row.job or "") in went},
    )


WELL: Final = read_of(
    planned("r0", "j0", "ended", "accepted"),
    planned("r1", "j1", "withdrawn", "suppressed"),
    planned("r2", None, "ended", "suppressed"),
    planned("r3", "never", "withdrawn", "suppressed"),
    j0="accepted",
    j1="suppressed",
    replaced="suppressed",
)


def told(deed: Deed, acknowledged: float, *reviewers: str) -> Told:
    return Told(Act(0, deed, Q4, reviewers), acknowledged - 1, acknowledged)


def test_what_became_of_each_planned_mail_is_counted() -> None:
    assert found(WELL) == []
    assert ends(WELL) == {"accepted": 1, "suppressed": 3}


@pytest.mark.parametrize(
    ("read", "rule"),
    [
        (read_of(planned("r0", None, "planned", None)), CampaignRule.NO_END),
        (read_of(planned("r0", "j0", "enqueued", None)), CampaignRule.NO_END),
        (
            read_of(planned("r0", "j0", "withdrawn", "suppressed"), j0="accepted"),
            CampaignRule.STATES_DIFFER,
        ),
        (
            read_of(planned("r0", "j0", "withdrawn", "moved"), j0="suppressed"),
            CampaignRule.STATES_DIFFER,
        ),
        (
            read_of(planned("r0", "j0", "ended", "accepted"), j0="accepted", j1="accepted"),
            CampaignRule.NOT_PLANNED,
        ),
        (replace(WELL, wrong=["put of c0: refused"]), CampaignRule.NOT_TOLD),
        (
            read_of(planned("r0", "j0", "ended", "accepted"), j0="accepted", copies=2),
            "sent_twice",
        ),
    ],
)
def test_each_fault_is_found(read: CampaignRead, rule: str) -> None:
    assert {each.rule for each in found(read)} == {rule}


@pytest.mark.parametrize(
    "deed", [told(Deed.COMPLETE, 99, "r0"), told(Deed.REMOVE, 99, "r0"), told(Deed.STOP, 99),
             told(Deed.PAUSE, 99), told(Deed.READDRESS, 99, "r0")],
)  # fmt: skip
def test_what_began_after_it_was_called_off_is_too_late(deed: Told) -> None:
    [finding] = found(replace(WELL, told=[deed]))
    assert (finding.rule, finding.job) == (CampaignRule.TOO_LATE, "j0")
    assert found(replace(WELL, told=[replace(deed, acknowledged=101.0)])) == []


def test_what_is_about_somebody_else_or_goes_on_is_not() -> None:
    others = [told(Deed.COMPLETE, 99, "r1"), told(Deed.MOVE, 99), told(Deed.REMIND, 99, "r0")]
    goes_on = [told(Deed.PAUSE, 90), told(Deed.RESUME, 95)]
    assert found(replace(WELL, told=[*others, *goes_on])) == []


def test_the_same_seed_tells_the_same_story() -> None:
    campaigns = list(cast(["t00", "t01"], 6, 12))
    acts = story(campaigns, 20, 7)
    assert acts == story(campaigns, 20, 7) != story(campaigns, 20, 8)
    assert {each.deed for each in acts} == set(Deed)
    assert all(0 <= each.at <= 20 for each in acts)


def test_a_campaign_and_its_reviewers_are_as_upstream_may_give_them() -> None:
    for each in cast(["t00", "t01"], 6, 12):
        for due in (LATER, OVERDUE) if not each.new else (LATER,):
            Campaign.model_validate(each.written(NOW, due))
        for name in each.names():
            Reviewer.model_validate(each.row(name, 1))
