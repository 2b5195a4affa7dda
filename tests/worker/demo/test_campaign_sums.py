"""What became of the demo's campaigns: sums that add up, and what did not happen as it should."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from certmail_config.jobs.states import State
from certmail_worker.demo.campaign_sums import CampaignResult, not_as_meant
from certmail_worker.demo.ledger import Seen
from certmail_worker.demo.planned import DEPUTY

NOW: Final = datetime(2026, 11, 28, 9, tzinfo=UTC)
KINDS: Final = ("notice", "reminder", "overdue", "escalation", "digest")


def result(**kinds: str) -> CampaignResult:
    """A campaign whose jobs were accepted, and one that was called off."""
    ledger = {job: seen(State.ACCEPTED) for job in kinds}
    ledger["gone"] = seen(State.SUPPRESSED, "review_complete: nothing is left to decide")
    record = {job: each.state for job, each in ledger.items()}
    return CampaignResult(
        "acme",
        "quarterly",
        "Quarterly",
        reviewers=9,
        done=1,
        moments=[*ledger],
        ledger=ledger,
        record=record,
        ends=record,
        kinds=kinds,
    )


def seen(state: State, reason: str = "") -> Seen:
    return Seen("acme", state, held=False, looked_for=False, possible_duplicate=False, reason=reason)  # fmt: skip


def message(job: str, to: str = DEPUTY, at: datetime = NOW) -> Mapping[str, Any]:
    return {"certmail_id": job, "to": to, "at": at.isoformat().replace("+00:00", "Z")}


def test_what_was_planned_is_the_sum_of_what_became_of_it() -> None:
    told = result(a="notice", b="notice", c="overdue").as_json()
    assert told["planned"] == sum(told["ends"].values()) == 4
    assert told["ends"] == {"accepted": 3, "suppressed": 1}
    assert told["accepted_kinds"] == {"notice": 2, "overdue": 1}


def test_all_is_well_where_each_kind_went_and_nobody_after_they_were_done() -> None:
    all_kinds = result(**{kind: kind for kind in KINDS})
    mails = [message("notice"), message("reminder", "done@acme.example")]
    done = {"done@acme.example": NOW + timedelta(seconds=1)}
    assert not_as_meant([all_kinds], mails, done, all_kinds.ledger) == []


def test_what_did_not_happen_is_said() -> None:
    some = result(notice="notice")
    done = {"done@acme.example": NOW - timedelta(seconds=1)}
    told = not_as_meant([some], [message("notice", "done@acme.example")], done, ["lost"])
    assert told == [
        "no campaign sent any reminder",
        "no campaign sent any overdue",
        "no campaign sent any escalation",
        "no campaign sent any digest",
        "job lost was planned, but is not on record",
        "the deputy got no mail",
        "somebody was reminded by a campaign after they were done",
    ]
