"""What follows from a verdict, for each class of failure.

Its state, its wait, and what stops with it.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certmail_config.base.ids import ConnectionId, JobId
from certmail_config.jobs.states import ALLOWED, AttemptOutcome, State
from certmail_config.jobs.uncertain_policy import Policy, Rule
from certmail_config.ledger import Job, Pause, Settlement
from certmail_worker.delivery.send_failures import FailureClass, Verdict, judge
from certmail_worker.delivery.settlement import (
    MARGIN_SECONDS,
    VERIFY_MARGIN_SECONDS,
    OnUncertain,
    Rules,
    on_uncertain,
    plan_settlement,
)
from certmail_worker.google.responses import Answered, Lost, NotSent

C, O = FailureClass, AttemptOutcome  # noqa: E741 - as the tables of google.md abbreviate
NOW = 1_800_000_000.0
DAY = 86400.0
VERSION = 7
JOB = Job(
    id=JobId("j"), tenant="acme", connection=ConnectionId("c"), fence=3, nonce="n", failures=0, refreshed=False, resent=False, strikes=0, project_strikes=0,
    enqueued_at=NOW - 5, expires_at=NOW + 14 * DAY, body=b"sealed",
)  # fmt: skip
RULES, HELD = Rules(), OnUncertain()
WAITS = [C.MAILBOX_WAIT, C.MAILBOX_CROWDED, C.DAY_FULL, C.PROJECT_WAIT, C.PROJECT_DAY_FULL]


def verdict(failure: FailureClass, outcome: AttemptOutcome = O.REJECTED, **more: Any) -> Verdict:
    return Verdict(
        failure,
        outcome,
        **({"code": "the_code", "message": "What is wrong.", "remedy": "What to do."} | more),
    )


def settle(
    given: Verdict, *, rules: Rules = RULES, then: OnUncertain = HELD, **job: Any
) -> Settlement:
    job_ = replace(JOB, **job)
    return plan_settlement(
        given, job_, connection_version=VERSION, now=NOW, rules=rules, on_uncertain=then
    )


def in_doubt(rules: Rules = RULES, **more: Any) -> OnUncertain:
    given: dict[str, Any] = {
        "kind": "reminder",
        "own": None,
        "tenant": None,
        "verify": False,
        "resent": False,
    }
    return on_uncertain(rules, **(given | more))


def test_what_gmail_took_is_accepted_and_needs_no_reason() -> None:
    assert settle(verdict(C.NONE, O.ACCEPTED)) == Settlement(O.ACCEPTED, State.ACCEPTED, "")


def test_a_bad_message_fails_with_the_reason_on_record_and_stops_nothing_else() -> None:
    settled = settle(verdict(C.MESSAGE))
    assert settled == Settlement(O.REJECTED, State.FAILED, "the_code: What is wrong. What to do.")


class TestWaits:
    @pytest.mark.parametrize("failure", WAITS)
    def test_the_job_stays_in_its_lane_and_no_attempt_is_counted(
        self, failure: FailureClass
    ) -> None:
        settled = settle(verdict(failure), failures=9)
        assert (settled.to, settled.counts, settled.at, settled.suspension) == (
            State.READY,
            False,
            None,
            None,
        )

    @pytest.mark.parametrize("failure", WAITS)
    def test_a_deadline_that_google_names_is_kept_to_and_a_second_more(
        self, failure: FailureClass
    ) -> None:
        settled = settle(verdict(failure, wait=900.0), strikes=5)
        assert settled.pause is not None
        assert (settled.pause.until, settled.pause.named) == (NOW + 900 + MARGIN_SECONDS, True)
        assert MARGIN_SECONDS >= 1

    @pytest.mark.parametrize(
        ("failure", "least", "most"),
        [
            (C.MAILBOX_WAIT, 2, 3),
            (C.PROJECT_WAIT, 2, 3),
            (C.DAY_FULL, 900, 960),
            (C.PROJECT_DAY_FULL, 900, 960),
        ],
    )
    def test_without_one_the_first_wait_is_short_for_a_minutes_limit_and_long_for_a_days(
        self, failure: FailureClass, least: float, most: float
    ) -> None:
        settled = settle(verdict(failure))
        assert settled.pause is not None
        assert least <= settled.pause.until - NOW <= most
        assert not settled.pause.named

    @pytest.mark.parametrize("failure", WAITS)
    def test_it_grows_with_the_strikes_of_the_mailbox_and_not_with_the_jobs_failures(
        self, failure: FailureClass
    ) -> None:
        def wait(strikes: int, failures: int = 0) -> float:
            struck: dict[str, Any] = {
                "project_strikes" if "project" in failure else "strikes": strikes
            }
            pause = settle(verdict(failure), failures=failures, **struck).pause
            assert pause is not None
            return pause.until - NOW

        assert wait(strikes=3) > 2 * wait(strikes=1)
        assert wait(strikes=0, failures=50) < 2 * wait(strikes=0) + 2
        assert wait(strikes=10_000) <= DAY + 60

    @pytest.mark.parametrize("failure", WAITS)
    def test_a_limit_of_the_project_holds_the_project(self, failure: FailureClass) -> None:
        pause = settle(verdict(failure)).pause
        assert pause is not None
        assert pause.project is (failure in {C.PROJECT_WAIT, C.PROJECT_DAY_FULL})

    @pytest.mark.parametrize(
        ("failure", "said", "allowed"),
        [
            (C.MAILBOX_WAIT, 6000, 6000),
            (C.MAILBOX_WAIT, None, 0),
            (C.PROJECT_WAIT, 6000, 3000),
            (C.PROJECT_WAIT, None, 0),
            (C.DAY_FULL, None, None),
            (C.PROJECT_DAY_FULL, None, None),
        ],
    )
    def test_a_minutes_limit_says_that_the_pace_is_too_fast_and_a_days_does_not(
        self, failure: FailureClass, said: int | None, allowed: int | None
    ) -> None:
        """Of what a project allows, this deployment has its share."""
        pause = settle(verdict(failure, allowed=said), rules=Rules(project_share=0.5)).pause
        assert pause is not None
        assert pause.allowed == allowed


def test_an_unknown_outcome_that_lies_with_google_is_probed_for() -> None:
    rules = Rules(probe=7)
    assert settle(verdict(C.UNKNOWN, O.UNKNOWN, at_google=True), rules=rules).probe_in == 7
    assert settle(verdict(C.UNKNOWN, O.UNKNOWN), rules=rules).probe_in is None


class TestTokens:
    def test_the_first_refusal_of_a_token_asks_for_a_new_one_at_once(self) -> None:
        settled = settle(verdict(C.TOKEN_EXPIRED))
        assert (settled.to, settled.counts, settled.pause, settled.suspension) == (
            State.READY,
            False,
            None,
            None,
        )

    def test_the_ledger_knows_the_refusal_by_its_reason(self) -> None:
        """`claim` reads `refreshed` from a reason that starts so."""
        assert settle(verdict(C.TOKEN_EXPIRED)).reason.startswith("token_expired")

    def test_the_refusal_of_a_new_one_too_stops_the_connection(self) -> None:
        settled = settle(verdict(C.TOKEN_EXPIRED), refreshed=True)
        assert (settled.to, settled.counts) == (State.READY, False)
        assert settled.suspension is not None
        assert (settled.suspension.code, settled.suspension.version) == ("token_refused", VERSION)

    def test_a_token_that_could_not_be_dropped_and_was_used_again_stops_nothing(self) -> None:
        job = replace(JOB, refreshed=True, refused_token="t1")
        met: dict[str, Any] = {"connection_version": VERSION, "now": NOW, "rules": RULES}
        again = plan_settlement(verdict(C.TOKEN_EXPIRED), job, **met, token="t1")
        assert (again.to, again.counts, again.suspension) == (State.SCHEDULED, True, None)
        assert again.reason.startswith("token_expired")
        other = plan_settlement(verdict(C.TOKEN_EXPIRED), job, **met, token="t2")
        assert other.suspension is not None

    def test_once_it_is_linked_again_the_next_refusal_is_a_first_one(self) -> None:
        assert not settle(verdict(C.TOKEN_EXPIRED), refreshed=True).reason.startswith(
            "token_expired"
        )


def test_a_broken_connection_is_stopped_in_the_version_that_was_used_with_reason_and_remedy() -> (
    None
):
    settled = settle(verdict(C.CONNECTION))
    assert (settled.to, settled.counts, settled.at) == (State.READY, False, None)
    assert settled.suspension is not None
    assert (settled.suspension.code, settled.suspension.version) == ("the_code", VERSION)
    assert (settled.suspension.message, settled.suspension.remedy) == (
        "What is wrong.",
        "What to do.",
    )


class TestBackOff:
    @pytest.mark.parametrize(
        ("failure", "first", "longest"), [(C.TRANSIENT, 2, 1800), (C.OPERATOR, 30, 3600)]
    )
    def test_the_job_is_tried_again_later_each_time_and_the_attempt_counts(
        self, failure: FailureClass, first: float, longest: float
    ) -> None:
        waits = []

        for failures in (0, 1, 2, 3, 50):
            settled = settle(verdict(failure, O.NOT_SENT), failures=failures)
            assert (settled.to, settled.counts, settled.suspension) == (State.SCHEDULED, True, None)
            assert settled.pause is None
            assert settled.at is not None
            waits.append(settled.at - NOW)

        assert first <= waits[0] <= first + 10
        assert waits == sorted(waits)
        assert longest <= waits[-1] <= longest + 10

    def test_a_wait_that_was_named_holds_for_the_whole_mailbox(self) -> None:
        settled = settle(verdict(C.OPERATOR, wait=5000.0))
        assert settled.pause == Pause(NOW + 5000 + MARGIN_SECONDS, named=True)

    def test_a_request_that_never_left_is_tried_again_without_a_trace(self) -> None:
        settled = settle(judge(NotSent("Cannot connect to host")))
        assert (settled.outcome, settled.to) == (O.NOT_SENT, State.SCHEDULED)


class TestUnknownOutcomes:
    FROM_GOOGLE = verdict(C.UNKNOWN, O.UNKNOWN, http_status=503, structured=True)

    def test_an_error_of_googles_own_is_sent_once_more_after_a_while(self) -> None:
        settled = settle(self.FROM_GOOGLE, then=in_doubt())
        assert (settled.outcome, settled.to, settled.at, settled.counts) == (
            O.UNKNOWN,
            State.UNCERTAIN,
            NOW + 900,
            False,
        )

    def test_only_once(self) -> None:
        rules = Rules(uncertain=Policy(Rule.RESEND))
        assert in_doubt(rules, resent=True) == OnUncertain(resend=None, resend_5xx=None)
        assert settle(self.FROM_GOOGLE, then=in_doubt(rules, resent=True)).at is None

    def test_the_operator_may_choose_another_time_or_to_hold_it(self) -> None:
        assert settle(self.FROM_GOOGLE, then=in_doubt(Rules(resend_5xx=60))).at == NOW + 60
        assert settle(self.FROM_GOOGLE, then=in_doubt(Rules(resend_5xx=None))).at is None

    def test_anything_else_is_sent_once_more_only_where_a_rule_says_so(self) -> None:
        lost = judge(Lost("no answer in time"))
        rules = Rules(uncertain=Policy.parse("hold,final=resend"), resend=120)
        assert settle(lost, then=in_doubt(rules)).at is None
        assert settle(lost, then=in_doubt(rules, kind="final")).at == NOW + 120
        assert settle(lost, then=in_doubt(rules, own=Rule.RESEND)).at == NOW + 120
        assert settle(lost, then=in_doubt(rules, kind="final", tenant=Policy())).at is None

    def test_a_rule_waits_for_whoever_looks_among_the_sent_mails(self) -> None:
        rules = Rules(uncertain=Policy(Rule.RESEND), resend=120, resend_5xx=5, verify=200)
        least = 200 + VERIFY_MARGIN_SECONDS
        assert in_doubt(rules, verify=True) == OnUncertain(resend=least, resend_5xx=least)
        assert in_doubt(rules) == OnUncertain(resend=120, resend_5xx=5)

    @pytest.mark.parametrize(
        "given",
        [
            judge(Answered(200, {}, b'{"id": "18c', broken="ClientPayloadError")),
            judge(Answered(200, {"content-type": "application/json"}, b"{}")), judge(Answered(204, {}, b"")),
        ],
    )  # fmt: skip
    def test_what_gmail_said_that_it_took_no_rule_sends_again(self, given: Verdict) -> None:
        settled = settle(given, then=OnUncertain(resend=120, resend_5xx=900))
        assert (settled.outcome, settled.to, settled.at) == (O.UNKNOWN, State.UNCERTAIN, None)

    def test_a_page_of_a_proxy_that_says_200_is_left_to_the_rules(self) -> None:
        page = judge(Answered(200, {"content-type": "text/html"}, b"<html>"))
        assert settle(page, then=OnUncertain(resend=120)).at == NOW + 120

    @pytest.mark.parametrize(
        "given",
        [
            judge(Lost("no answer in time")),
            judge(Answered(502, {}, b"<html>")), judge(Answered(503, {}, b"")), judge(Answered(408, {}, b'{"error": {"message": "m"}}')),
            judge(Answered(200, {}, b"<html>")),
        ],
    )  # fmt: skip
    def test_anything_less_clear_is_held_for_a_person(self, given: Verdict) -> None:
        settled = settle(given)
        assert (settled.outcome, settled.to, settled.at) == (O.UNKNOWN, State.UNCERTAIN, None)

    def test_a_wait_that_google_asks_for_holds_for_the_resend_and_the_whole_mailbox(self) -> None:
        settled = settle(replace(self.FROM_GOOGLE, wait=5000.0), then=in_doubt())
        assert settled.at == NOW + 5000
        assert settled.pause == Pause(NOW + 5000 + MARGIN_SECONDS, named=True)
        assert settle(self.FROM_GOOGLE).pause is None


BODIES = st.binary(max_size=100) | st.builds(
    lambda reason, message: json.dumps({"error": {"errors": [{"reason": reason}], "message": message}}).encode(),
    st.sampled_from(["", "rateLimitExceeded", "dailyLimitExceeded", "failedPrecondition", "domainPolicy", "Mail sending"]),
    st.text(max_size=30),
)  # fmt: skip
HEADERS = st.dictionaries(
    st.just("retry-after"), st.text("0123456789", max_size=20) | st.text(max_size=10)
)


@settings(deadline=None)
@given(
    st.one_of(
        st.builds(Answered, st.integers(100, 999), HEADERS, BODIES), st.builds(Lost, st.text()), st.builds(NotSent, st.text())
    ).map(judge),
    st.builds(
        Job, id=st.just(JOB.id), tenant=st.just("acme"), connection=st.just(JOB.connection), fence=st.just(1),
        failures=st.integers(0, 10**6), refreshed=st.booleans(), resent=st.booleans(), strikes=st.integers(0, 10**6),
        project_strikes=st.integers(0, 10**6), enqueued_at=st.just(NOW), expires_at=st.just(NOW + DAY), body=st.just(b""),
    ),
    st.none() | st.floats(1, 10 * DAY),
)  # fmt: skip
def test_every_answer_is_settled_in_a_way_that_the_states_allow(
    given: Verdict, job: Job, resend: float | None
) -> None:
    settled = plan_settlement(
        given,
        job,
        connection_version=VERSION,
        now=NOW,
        rules=Rules(),
        on_uncertain=OnUncertain(resend, resend),
    )

    assert settled.to in ALLOWED[State.SENDING]
    assert settled.outcome is given.outcome
    assert (settled.to is State.ACCEPTED) == (given.outcome is O.ACCEPTED)
    assert (settled.to is State.UNCERTAIN) == (given.outcome is O.UNKNOWN)
    assert settled.reason or settled.to is State.ACCEPTED
    if settled.to is State.SCHEDULED:
        assert settled.at is not None
    for time in (settled.at, settled.pause.until if settled.pause else None):
        assert time is None or NOW < time <= NOW + 10 * DAY


@pytest.mark.parametrize("failure", list(FailureClass))
def test_no_class_of_failure_is_forgotten(failure: FailureClass) -> None:
    assert isinstance(settle(verdict(failure)), Settlement)
