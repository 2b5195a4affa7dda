"""The scoreboard, on made-up inputs: each promise that is broken is named, and only that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chaos.facts import Attempt, Read, Request, Standing, Trouble
from chaos.scoreboard import Rule, findings

BEGUN = 1_000.0
PATIENCE = 8.0
ACCEPTED = Standing("accepted", outcomes=("accepted",))
HELD = Standing("uncertain", held=True, outcomes=("unknown",))
GOOD = Read(
    receipts={"sent": "a@x", "lost": "b@x"},
    copies=["sent"],
    ledger={"sent": ACCEPTED, "lost": HELD},
    record={"sent": ACCEPTED, "lost": HELD},
    attempts=[
        Attempt("sent", 1, "11", BEGUN, "accepted"),
        Attempt("lost", 1, "12", BEGUN, "unknown"),
    ],
    requests=[
        Request(BEGUN, "a@x", "sent"),
        Request(BEGUN + 0.1, "b@x", "lost", "reset", "reset_before"),
    ],
    doctor=[{"check": "redis", "severity": "ok", "message": "Valkey answers."}],
    patience=PATIENCE,
)


def rules(read: Read, *, negatives_verified: bool = False) -> list[Rule]:
    return [finding.rule for finding in findings(read, negatives_verified=negatives_verified)]


def both(read: Read, job: str, standing: Standing) -> Read:
    """A job that is so by ledger and record."""
    return replace(
        read, ledger={**read.ledger, job: standing}, record={**read.record, job: standing}
    )


def unhit(*troubles: Trouble, ended: str | None = "unknown") -> Read:
    """One attempt of unknown outcome that no fault hit, and that did not arrive."""
    return replace(
        GOOD, attempts=[Attempt("lost", 1, "12", BEGUN, ended)], requests=[], troubles=troubles
    )


def test_a_weathered_storm_has_no_findings() -> None:
    assert findings(GOOD, negatives_verified=True) == []


class TestCopies:
    def test_two_of_one_job_are_one_too_many(self) -> None:
        assert rules(replace(GOOD, copies=["sent", "sent"])) == [Rule.SENT_TWICE]

    def test_unless_it_is_on_record_that_there_may_be_two(self) -> None:
        marked = Standing("accepted", possible_duplicate=True, outcomes=("unknown", "accepted"))
        assert rules(both(replace(GOOD, copies=["sent", "sent"]), "sent", marked)) == []

    def test_an_uncertain_job_may_have_one(self) -> None:
        assert rules(replace(GOOD, copies=["sent", "lost"])) == []

    @pytest.mark.parametrize("state", ["failed", "cancelled", "suppressed", "expired"])
    def test_a_job_that_ended_otherwise_may_not(self, state: str) -> None:
        assert rules(both(GOOD, "sent", Standing(state))) == [Rule.COPY_DENIED]

    def test_an_accepted_job_has_one(self) -> None:
        assert rules(replace(GOOD, copies=[])) == [Rule.NEVER_SENT]

    def test_none_is_of_a_job_without_receipt(self) -> None:
        assert rules(replace(GOOD, copies=["sent", "other"])) == [Rule.STRAY]


class TestReceipts:
    def test_each_has_a_job(self) -> None:
        assert rules(replace(GOOD, receipts={**GOOD.receipts, "gone": "a@x"})) == [Rule.MISSING]

    @pytest.mark.parametrize("state", ["scheduled", "ready", "dispatched", "sending"])
    def test_which_came_to_an_end(self, state: str) -> None:
        assert Rule.MISSING in rules(both(GOOD, "lost", Standing(state)))

    def test_or_is_held_and_not_about_to_be_sent_again(self) -> None:
        assert rules(both(GOOD, "lost", replace(HELD, held=False))) == [Rule.MISSING]

    def test_and_nothing_is_there_without_one(self) -> None:
        assert rules(both(GOOD, "other", ACCEPTED)) == [Rule.STRAY]


class TestGarbage:
    """Reminders that are garbage: how they end is free, as long as they end and are on record."""

    @pytest.mark.parametrize("standing", [Standing("failed"), ACCEPTED, HELD])
    def test_what_came_to_an_end_is_no_finding(self, standing: Standing) -> None:
        assert (
            rules(
                replace(
                    both(GOOD, "odd", standing), garbage=frozenset({"odd"}), copies=["sent", "odd"]
                )
            )
            == []
        )

    def test_what_did_not_is_one(self) -> None:
        assert rules(replace(both(GOOD, "odd", Standing("ready")), garbage=frozenset({"odd"}))) == [
            Rule.MISSING
        ]

    def test_what_never_got_in_is_none(self) -> None:
        assert rules(replace(GOOD, garbage=frozenset({"odd"}))) == []


class TestDoubt:
    def test_needs_a_cause(self) -> None:
        assert rules(unhit()) == [Rule.DOUBT_WITHOUT_CAUSE]

    def test_also_where_nobody_has_said_what_became_of_the_request(self) -> None:
        assert rules(unhit(ended=None)) == [Rule.DOUBT_WITHOUT_CAUSE]

    @pytest.mark.parametrize(
        "fault", ["503", "502_html", "reset_after", "hang_after", "accept_late"]
    )
    def test_a_fault_that_hit_its_request_is_one(self, fault: str) -> None:
        read = replace(unhit(), requests=[Request(BEGUN + 1, "b@x", "lost", "reset", fault)])
        assert rules(read) == []

    @pytest.mark.parametrize(
        ("fault", "status"), [("429_retry_at", 429), ("drop_token", 401), ("verbatim", 429)]
    )
    def test_a_fault_with_a_clear_answer_is_none(self, fault: str, status: int) -> None:
        read = replace(unhit(), requests=[Request(BEGUN + 1, "b@x", "lost", status, fault)])
        assert rules(read) == [Rule.DOUBT_WITHOUT_CAUSE]

    def test_a_fault_whose_message_was_not_read_counts_for_its_mailbox(self) -> None:
        read = replace(unhit(), requests=[Request(BEGUN + 1, "b@x", None, "reset", "accept_late")])
        assert rules(read) == []
        read = replace(unhit(), requests=[Request(BEGUN + 1, "a@x", None, "reset", "accept_late")])
        assert rules(read) == [Rule.DOUBT_WITHOUT_CAUSE]

    def test_a_fault_of_another_attempt_is_none(self) -> None:
        read = replace(unhit(), requests=[Request(BEGUN - 30, "b@x", "lost", 503, "503")])
        assert rules(read) == [Rule.DOUBT_WITHOUT_CAUSE]

    def test_that_its_worker_was_killed_meanwhile_is_one(self) -> None:
        assert rules(unhit(Trouble("kill", BEGUN + 3, BEGUN + 3, "12"))) == []

    @pytest.mark.parametrize(
        "kill",
        [
            Trouble("kill", BEGUN + 3, BEGUN + 3, "11"),
            Trouble("kill", BEGUN - 3, BEGUN - 3, "12"),
            Trouble("kill", BEGUN + PATIENCE + 1, BEGUN + PATIENCE + 1, "12"),
        ],
        ids=["another", "before", "when it must have been known"],
    )
    def test_another_kill_is_none(self, kill: Trouble) -> None:
        assert rules(unhit(kill)) == [Rule.DOUBT_WITHOUT_CAUSE]

    def test_a_begin_that_was_held_on_its_way_outlives_the_worker_that_said_it(self) -> None:
        kill, held = Trouble("kill", BEGUN - 3, BEGUN - 3, "12"), Trouble("cut", BEGUN - 4, BEGUN)
        assert rules(unhit(kill, held)) == []
        assert rules(unhit(kill, replace(held, ended=BEGUN - 2))) == [Rule.DOUBT_WITHOUT_CAUSE]

    def test_once_google_has_answered_a_worker_has_little_time_left_to_be_killed_in(self) -> None:
        answered = [Request(BEGUN + 0.1, "b@x", "lost")]
        soon, late = (unhit(Trouble("kill", BEGUN + n, BEGUN + n, "12")) for n in (2, 5))
        assert rules(replace(soon, requests=answered)) == []
        assert rules(replace(late, requests=answered)) == [Rule.DOUBT_WITHOUT_CAUSE]
        slowly = [Request(BEGUN + 0.1, "b@x", "lost", 200, "slow")]
        assert rules(replace(late, requests=slowly)) == []

    def test_that_its_worker_stood_still_meanwhile_is_one(self) -> None:
        assert rules(unhit(Trouble("freeze", BEGUN - 1, BEGUN + 12, "12"))) == []
        assert rules(unhit(Trouble("freeze", BEGUN - 1, BEGUN + 12, "11"))) == [
            Rule.DOUBT_WITHOUT_CAUSE
        ]

    def test_that_redis_was_away_is_none_since_a_worker_keeps_what_it_knows(self) -> None:
        assert rules(unhit(Trouble("redis", BEGUN, BEGUN + 5))) == [Rule.DOUBT_WITHOUT_CAUSE]

    def test_but_it_gives_a_kill_more_time_to_come_before_all_was_said(self) -> None:
        away = Trouble("redis", BEGUN + 1, BEGUN + 6)
        kill = Trouble("kill", BEGUN + PATIENCE + 2, BEGUN + PATIENCE + 2, "12")
        assert rules(unhit(away, kill)) == []
        assert rules(unhit(kill)) == [Rule.DOUBT_WITHOUT_CAUSE]

    def test_where_one_may_look_what_was_sent_must_be_found(self) -> None:
        read = replace(GOOD, looked_up=frozenset({"lost"}), copies=["sent", "lost"])
        assert rules(read) == [Rule.DOUBT_LEFT]

    def test_and_what_was_not_sent_as_soon_as_that_is_looked_for_too(self) -> None:
        read = replace(GOOD, looked_up=frozenset({"lost"}))
        assert rules(read) == []
        assert rules(read, negatives_verified=True) == [Rule.DOUBT_LEFT]


class TestRecord:
    @pytest.mark.parametrize(
        "recorded",
        [
            None,
            replace(HELD, state="accepted"),
            replace(HELD, held=False),
            replace(HELD, possible_duplicate=True),
            replace(HELD, outcomes=("rejected",)),
            replace(HELD, outcomes=("unknown", None)),
        ],
        ids=["row", "state", "held", "possible_duplicate", "outcome", "attempt"],
    )
    def test_sql_says_what_the_ledger_says(self, recorded: Standing | None) -> None:
        record = {job: standing for job, standing in GOOD.record.items() if job != "lost"}
        read = replace(GOOD, record=record if recorded is None else {**record, "lost": recorded})
        assert rules(read) == [Rule.RECORDS_DIFFER]


class TestAround:
    def test_doctor_finds_no_error(self) -> None:
        error = {"check": "ledger", "severity": "error", "message": "x"}
        warning = {"check": "workers", "severity": "warning", "message": "y"}
        assert rules(replace(GOOD, doctor=[error, warning])) == [Rule.DOCTOR]

    def test_google_refuses_nothing_for_a_limit_of_its_own_accord(self) -> None:
        refused = Request(BEGUN, "a@x", "sent", 429)
        ordered = Request(BEGUN, "a@x", "sent", 429, "429_retry_at")
        assert rules(replace(GOOD, requests=[*GOOD.requests, ordered])) == []
        assert rules(replace(GOOD, requests=[*GOOD.requests, refused])) == [Rule.OVER_LIMIT]

    def test_no_worker_ends_that_nobody_ended(self) -> None:
        ended = Trouble("ended with status 1", BEGUN, BEGUN, "13")
        assert rules(replace(GOOD, troubles=[ended])) == [Rule.WORKER_ENDED]
