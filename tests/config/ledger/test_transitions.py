"""The ledger's transitions, on real servers, under a supplied clock."""

from __future__ import annotations

from typing import Any

import pytest

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId, JobId
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import (
    Cancellation,
    RefusedBy,
    Stop,
    Suspension,
    advertise,
    begin,
    cancel_matching,
    claim,
    dispatch,
    open_lane,
    reap,
    release,
    run,
    script,
    spend,
    suspend_lane,
)
from support.machine.clocked_ledger import LEASE, ClockedLedger


def test_a_reminder_goes_from_its_lane_to_accepted(ledger: ClockedLedger) -> None:
    ledger.enqueue("j")
    assert ledger.state("j") is State.READY
    assert ledger.dispatch().jobs == ("j",)
    assert ledger.state("j") is State.DISPATCHED

    job = ledger.claim("j")
    assert job.body == b"\x00sealed"
    assert ledger.begin(job).attempt == 1
    assert ledger.state("j") is State.SENDING
    assert ledger.settle("j") is State.ACCEPTED
    assert ledger.state("j") is State.ACCEPTED
    assert ledger.events() == ["opened", "enqueued", "begun", "settled"]


def test_a_final_job_keeps_its_state_but_not_its_payload(ledger: ClockedLedger) -> None:
    ledger.enqueue("j")
    ledger.fly("j")
    ledger.settle("j")
    assert not ledger.redis.exists(redis_keys.BODY + "j")
    assert ledger.redis.zcard(redis_keys.DUE) == 0
    assert ledger.redis.scard(redis_keys.LEASED) == 0
    assert ledger.redis.scard(redis_keys.FLYING + "m-a") == 0
    assert 0 < ledger.redis.pttl(redis_keys.JOB + "j") <= 90 * 86400 * 1000
    assert ledger.redis.pttl(redis_keys.DEDUPE + "acme:j") > 0


class TestEnqueue:
    def test_the_same_key_and_body_is_a_duplicate_of_the_first(self, ledger: ClockedLedger) -> None:
        assert ledger.enqueue("j1", dedupe="k").code == "enqueued"
        again = ledger.enqueue("j2", dedupe="k")
        assert (again.code, again.id, again.state) == ("duplicate", "j1", State.READY)
        assert ledger.redis.zcard(redis_keys.DUE) == 1

    def test_the_same_key_with_another_body_is_refused(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("j1", dedupe="k")
        assert ledger.enqueue("j2", dedupe="k", fingerprint="other").code == "key_reused"

    def test_a_retried_command_is_no_duplicate(self, ledger: ClockedLedger) -> None:
        assert ledger.enqueue("j").code == "enqueued"
        assert ledger.enqueue("j").code == "enqueued"
        assert ledger.events().count("enqueued") == 1

    def test_a_duplicate_of_a_finished_reminder_is_still_one(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("j1", dedupe="k")
        ledger.fly("j1")
        ledger.settle("j1")
        again = ledger.enqueue("j2", dedupe="k")
        assert (again.code, again.state) == ("duplicate", State.ACCEPTED)

    def test_an_unknown_connection_is_refused_and_leaves_nothing(
        self, ledger: ClockedLedger
    ) -> None:
        assert ledger.enqueue("j", lane="nowhere").code == "unknown_connection"
        assert not ledger.redis.exists(
            redis_keys.JOB + "j", redis_keys.DEDUPE + "acme:j", redis_keys.BODY + "j"
        )

    def test_a_suppressed_reminder_is_final_at_once_and_on_record(
        self, ledger: ClockedLedger
    ) -> None:
        assert (
            ledger.enqueue("j", state=State.SUPPRESSED, reason="review_complete").state
            is State.SUPPRESSED
        )
        assert ledger.state("j") is State.SUPPRESSED
        assert ledger.dispatch().jobs == ()
        assert "enqueued" in ledger.events()

    def test_a_scheduled_reminder_waits_for_its_time(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("j", state=State.SCHEDULED, send_at=ledger.now + 60)
        assert ledger.dispatch().jobs == ()
        ledger.now += 61
        ledger.reap()
        assert ledger.dispatch().jobs == ("j",)


class TestLeases:
    def test_a_lost_doorbell_returns_the_job_to_its_lane(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("j")
        ledger.dispatch()
        ledger.now += 4.1
        assert ledger.reap().moved == (("j", State.DISPATCHED, State.READY),)
        assert ledger.dispatch().jobs == ("j",)

    def test_an_old_doorbell_is_refused_and_the_job_returns(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("j")
        ledger.dispatch()
        ledger.now += 2.5
        call = claim(JobId("j"), worker="w", nonce="n", lease_seconds=45, clock=ledger.now)
        assert run(ledger.redis, call) == RefusedBy("stale")
        assert ledger.state("j") is State.READY

    def test_a_doubled_doorbell_is_answered_once(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("j")
        ledger.dispatch()
        ledger.claim("j", nonce="first")
        call = claim(JobId("j"), worker="v", nonce="second", lease_seconds=45, clock=ledger.now)
        assert run(ledger.redis, call) == RefusedBy("claimed")

    def test_a_retried_claim_and_begin_give_the_same_answer(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("j")
        ledger.dispatch()
        first = ledger.claim("j")
        assert ledger.claim("j").fence == first.fence
        assert ledger.begin(first) == ledger.begin(first)
        assert ledger.events().count("begun") == 1

    def test_a_worker_lost_while_preparing_costs_nothing(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("j")
        ledger.dispatch()
        stale = ledger.claim("j")
        ledger.now += 46
        ledger.reap()
        assert ledger.state("j") is State.READY

        ledger.dispatch()
        ledger.claim("j", worker="v", nonce="n2")
        assert run(ledger.redis, begin(stale, lease_seconds=45, clock=ledger.now)) == RefusedBy(
            "fenced"
        )

    def test_begin_refuses_after_the_lease_even_before_the_reaper_came(
        self, ledger: ClockedLedger
    ) -> None:
        ledger.enqueue("j")
        ledger.dispatch()
        job = ledger.claim("j")
        ledger.now += 46
        assert run(ledger.redis, begin(job, lease_seconds=45, clock=ledger.now)) == RefusedBy(
            "lease_ended"
        )

    def test_begin_refuses_a_worker_whose_job_was_leased_anew_but_not_claimed_yet(
        self, ledger: ClockedLedger
    ) -> None:
        ledger.enqueue("j")
        ledger.dispatch()
        stale = ledger.claim("j")
        ledger.now += 46
        ledger.reap()
        ledger.dispatch()

        assert run(ledger.redis, begin(stale, lease_seconds=45, clock=ledger.now)) == RefusedBy(
            "fenced"
        )
        assert ledger.state("j") is State.DISPATCHED

    def test_a_worker_lost_while_sending_leaves_the_outcome_uncertain_and_held(
        self, ledger: ClockedLedger
    ) -> None:
        ledger.enqueue("j")
        ledger.fly("j")
        ledger.now += 46
        ledger.reap()
        seen = ledger.see("j")
        assert (seen.state, seen.held) == (State.UNCERTAIN, True)
        assert (seen.reason or "").startswith("worker_lost")

        ledger.now += 86400 * 15
        ledger.reap()
        assert ledger.state("j") is State.UNCERTAIN
        assert ledger.dispatch().jobs == ()

    def test_a_job_that_stops_five_workers_fails(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("j")
        for n in range(5):
            ledger.dispatch()
            ledger.claim("j", worker=f"w{n}", nonce=f"n{n}")
            ledger.now += 46
            ledger.reap()
        assert ledger.state("j") is State.FAILED

    def test_lost_doorbells_never_make_a_job_poison(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("j")
        for _ in range(10):
            ledger.dispatch()
            ledger.now += 5
            ledger.reap()
        assert ledger.state("j") is State.READY


class TestSettle:
    def test_it_is_accepted_late_and_turns_uncertain_into_the_truth(
        self, ledger: ClockedLedger
    ) -> None:
        ledger.enqueue("j")
        ledger.fly("j")
        ledger.now += 300
        ledger.reap()
        assert ledger.settle("j") is State.ACCEPTED

    def test_the_second_call_changes_nothing(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("j")
        ledger.fly("j")
        ledger.settle("j")
        ledger.settle("j", outcome=AttemptOutcome.UNKNOWN, to=State.UNCERTAIN)
        assert ledger.state("j") is State.ACCEPTED
        assert ledger.events().count("settled") == 1

    def test_a_rule_may_send_an_unknown_outcome_once_more_on_record(
        self, ledger: ClockedLedger
    ) -> None:
        ledger.enqueue("j")
        ledger.fly("j")
        ledger.settle("j", outcome=AttemptOutcome.UNKNOWN, to=State.UNCERTAIN, at=ledger.now + 10)
        assert (ledger.state("j"), ledger.see("j").held) == (State.UNCERTAIN, False)
        ledger.now += 11
        ledger.reap()
        assert ledger.see("j").possible_duplicate
        assert ledger.dispatch().jobs == ("j",)

    def test_news_that_decide_nothing_leave_a_job_held(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("j")
        ledger.fly("j")
        ledger.settle("j", outcome=AttemptOutcome.UNKNOWN, to=State.UNCERTAIN, at=ledger.now + 10)
        ledger.now += 11
        ledger.reap()
        ledger.fly("j")
        ledger.settle("j", 2, outcome=AttemptOutcome.UNKNOWN, to=State.UNCERTAIN)
        ledger.settle(
            "j", 1, outcome=AttemptOutcome.NOT_SENT, to=State.SCHEDULED, at=ledger.now + 5
        )
        assert ledger.see("j").held

        entries: Any = ledger.redis.xrevrange(redis_keys.EVENTS, count=1)
        assert entries[0][1][b"held"] == b"1"

    def test_what_was_closed_without_an_answer_stays_closed_while_a_copy_may_be_out(
        self, ledger: ClockedLedger
    ) -> None:
        ledger.enqueue("j")
        ledger.fly("j")
        ledger.settle("j", outcome=AttemptOutcome.UNKNOWN, to=State.UNCERTAIN, at=ledger.now + 10)
        ledger.now += 11
        ledger.reap()
        ledger.fly("j")
        ledger.now += 46
        ledger.reap()
        ledger.now += 91 * 86400
        ledger.reap()
        assert ledger.redis.zcard(redis_keys.DUE) == 0

        ledger.settle("j", 2, outcome=AttemptOutcome.REJECTED, to=State.FAILED)
        assert ledger.state("j") is State.UNCERTAIN
        assert ledger.redis.zcard(redis_keys.DUE) == 0


class TestLanes:
    def test_a_suspended_lane_keeps_its_jobs_and_says_why(self, ledger: ClockedLedger) -> None:
        ledger.lane("b", opened=False)
        ledger.enqueue("j", lane="b")
        assert ledger.dispatch().jobs == ()
        assert ledger.see("j").reason == "connection_draft: not set up yet"

    def test_opening_it_lets_them_leave(self, ledger: ClockedLedger) -> None:
        ledger.lane("b", opened=False)
        ledger.enqueue("j", lane="b")
        assert run(ledger.redis, open_lane(ConnectionId("b"), 2, clock=ledger.now))
        assert ledger.dispatch().jobs == ("j",)

    def test_a_waiting_job_expires_in_a_suspended_lane_too(self, ledger: ClockedLedger) -> None:
        ledger.lane("b", opened=False)
        ledger.enqueue("j", lane="b", expires_at=ledger.now + 10)
        ledger.now += 11
        ledger.reap()
        assert ledger.state("j") is State.EXPIRED

    def test_begin_refuses_in_a_lane_suspended_meanwhile(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("j")
        ledger.dispatch()
        job = ledger.claim("j")
        run(
            ledger.redis,
            suspend_lane(ConnectionId("a"), Suspension("key_unknown", "why", 1), clock=ledger.now),
        )

        assert run(ledger.redis, begin(job, lease_seconds=45, clock=ledger.now)) == RefusedBy(
            "suspended"
        )
        assert ledger.state("j") is State.READY

    def test_a_late_finding_about_the_old_account_does_not_stop_the_relinked_one(
        self, ledger: ClockedLedger
    ) -> None:
        ledger.enqueue("j")
        ledger.dispatch()
        job = ledger.claim("j")
        run(ledger.redis, open_lane(ConnectionId("a"), 2, clock=ledger.now))
        why = Suspension("grant_revoked", "old", 1)
        run(
            ledger.redis,
            release(job, to=State.READY, reason="grant_revoked", suspension=why, clock=ledger.now),
        )

        assert ledger.field(redis_keys.LANE_INFO + "a", "state") == b"open"

    def test_release_suspends_the_lane_in_the_same_step(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("j")
        ledger.dispatch()
        why = Suspension("grant_revoked", "link again", 1)
        run(
            ledger.redis,
            release(
                ledger.claim("j"), to=State.READY, reason="r", suspension=why, clock=ledger.now
            ),
        )

        assert ledger.see("j").reason == "grant_revoked: link again"
        assert ledger.dispatch().jobs == ()


def test_the_ledgers_time_never_goes_back(ledger: ClockedLedger) -> None:
    ledger.enqueue("j")
    ledger.now -= 3600
    ledger.enqueue("j2")
    assert ledger.field(redis_keys.JOB + "j2", "enqueued_at") == ledger.field(
        redis_keys.JOB + "j", "enqueued_at"
    )


class TestAClockThatLeapt:
    """An hour ahead, and put right later: what happened meanwhile does not wait for that hour."""

    def test_a_lane_is_visited_as_soon_as_the_clock_is_right(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("j", clock=ledger.now + 3600)
        ledger.now += 1
        assert ledger.dispatch().jobs == ("j",)

    def test_an_opened_lane_too(self, ledger: ClockedLedger) -> None:
        ledger.lane("b", opened=False)
        ledger.enqueue("j", lane="b")
        run(ledger.redis, open_lane(ConnectionId("b"), 1, clock=ledger.now + 3600))
        ledger.now += 1
        assert ledger.dispatch().jobs == ("j",)

    def test_nothing_is_spent(self, ledger: ClockedLedger) -> None:
        assert not run(
            ledger.redis, spend(ConnectionId("a"), 100, nonce="n", clock=ledger.now + 3600)
        )
        ledger.enqueue("j")
        assert ledger.dispatch().jobs == ("j",)


def test_every_script_names_only_keys_of_the_key_module() -> None:
    for name in (
        "enqueue",
        "dispatch",
        "claim",
        "begin",
        "settle",
        "release",
        "reap",
        "open_lane",
        "suspend_lane",
        "set_lane",
    ):
        assert redis_keys.TAG not in script.lua_files()[name].read_text("utf-8")


class TestCancel:
    @pytest.mark.parametrize("state", [State.READY, State.SCHEDULED])
    def test_a_waiting_reminder_is_called_off(self, ledger: ClockedLedger, state: State) -> None:
        ledger.enqueue("j", state=state, send_at=ledger.now + 60)
        assert ledger.cancel("j") is Cancellation.CANCELLED
        assert ledger.state("j") is State.CANCELLED
        assert ledger.cancel("j") is Cancellation.CANCELLED
        assert ledger.events().count("cancelled") == 1
        ledger.now += 61
        ledger.reap()
        assert ledger.dispatch().jobs == ()

    def test_a_worker_that_prepares_it_cannot_begin_and_its_slot_is_free(
        self, ledger: ClockedLedger
    ) -> None:
        ledger.enqueue("j")
        ledger.dispatch()
        job = ledger.claim("j")
        assert ledger.cancel("j") is Cancellation.CANCELLED
        assert run(ledger.redis, begin(job, lease_seconds=45, clock=ledger.now)) == RefusedBy(
            "cancelled"
        )
        assert ledger.redis.scard(redis_keys.LEASED) == 0

    def test_under_way_it_is_only_not_tried_again(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("j")
        ledger.fly("j")
        assert ledger.cancel("j") is Cancellation.ALREADY_SENDING
        ledger.settle("j", outcome=AttemptOutcome.REJECTED, to=State.SCHEDULED, at=ledger.now + 60)
        assert ledger.state("j") is State.CANCELLED

    def test_under_way_and_then_unknown_it_is_held(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("j")
        ledger.fly("j")
        ledger.cancel("j")
        ledger.settle("j", outcome=AttemptOutcome.UNKNOWN, to=State.UNCERTAIN, at=ledger.now + 900)
        assert (ledger.state("j"), ledger.see("j").held) == (State.UNCERTAIN, True)

    def test_a_resend_is_called_off_but_the_doubt_stays(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("j")
        ledger.fly("j")
        ledger.settle("j", outcome=AttemptOutcome.UNKNOWN, to=State.UNCERTAIN, at=ledger.now + 900)
        assert ledger.cancel("j") is Cancellation.UNCERTAIN
        ledger.now += 901
        ledger.reap()
        assert (ledger.state("j"), ledger.see("j").held) == (State.UNCERTAIN, True)

    def test_what_has_ended_stays_as_it_ended(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("j")
        ledger.fly("j")
        ledger.settle("j")
        assert ledger.cancel("j") is Cancellation.ALREADY_FINAL
        assert ledger.cancel("nobody") is Cancellation.UNKNOWN

    def test_a_campaign_is_called_off_page_by_page_and_no_other(
        self, ledger: ClockedLedger
    ) -> None:
        ledger.lane("b")
        for n in range(300):
            ledger.enqueue(f"j{n}", campaign="q4" if n % 2 else "q3")
        ledger.enqueue("theirs", lane="b", tenant="globex", dedupe="globex:theirs")
        ledger.fly("j0")
        cursor, cancelled, sending, pages = 0, 0, 0, 0

        while True:
            page = run(
                ledger.redis,
                cancel_matching(
                    cursor,
                    tenant="acme",
                    campaign="q3",
                    reason="over",
                    look_at=50,
                    clock=ledger.now,
                ),
            )
            cursor, pages = page.cursor, pages + 1
            cancelled, sending = cancelled + page.cancelled, sending + page.already_sending
            if cursor == 0:
                break

        assert (cancelled, sending) == (149, 1)
        assert pages > 1
        assert ledger.state("j1") is State.READY
        assert ledger.state("theirs") is not State.CANCELLED


class TestClock:
    def test_time_does_not_go_back(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("j", state=State.SCHEDULED, send_at=ledger.now + 10)
        ledger.now += 11
        ledger.now -= 3600
        ledger.reap()
        assert ledger.state("j") is State.READY

    def test_a_leap_ahead_begins_ends_and_expires_nothing(self, ledger: ClockedLedger) -> None:
        for job in ("waits", "prepared", "under_way"):
            ledger.lane(job)
            ledger.enqueue(job, lane=job)

        rung = ledger.dispatch().jobs
        assert len(rung) == 3
        prepared = ledger.claim("prepared")
        ledger.begin(ledger.claim("under_way"))
        month = ledger.now + 30 * 86400
        assert run(ledger.redis, dispatch(10, clock=month)).stopped is Stop.CLOCK_LEAPT
        assert run(ledger.redis, reap(10, clock=month)).stopped is Stop.CLOCK_LEAPT
        leapt = RefusedBy("clock_leapt")
        assert run(ledger.redis, begin(prepared, lease_seconds=45, clock=month)) == leapt
        assert (
            run(
                ledger.redis,
                claim(JobId("waits"), worker="w", nonce="n", lease_seconds=45, clock=month),
            )
            == leapt
        )
        assert ledger.settle("under_way") is State.ACCEPTED
        assert run(ledger.redis, advertise("w", 1, seconds=5, clock=month)).leapt
        assert ledger.begin(prepared).attempt == 1  # the clock is right again

    def test_a_leap_is_believed_once_a_worker_says_so(self, ledger: ClockedLedger) -> None:
        month = ledger.now + 30 * 86400
        assert not run(ledger.redis, advertise("w", 1, seconds=5, believe=True, clock=month)).leapt
        assert run(ledger.redis, dispatch(10, clock=month)).stopped is None

    def test_nothing_moves_on_a_server_that_nobody_has_checked(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("j")
        ledger.redis.delete(redis_keys.CHECKED_RUN)
        assert ledger.dispatch().stopped is Stop.UNCHECKED
        assert ledger.reap().stopped is Stop.UNCHECKED


class TestBegin:
    """A begin whose answer was lost is asked again.

    Nobody else will ever know that the request did not leave.
    """

    def test_in_time_it_has_begun(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("j")
        ledger.dispatch()
        job = ledger.claim("j")
        assert ledger.begin(job) == ledger.begin(job)
        assert ledger.events().count("begun") == 1

    def test_after_the_lease_it_is_refused_and_named_as_never_sent(
        self, ledger: ClockedLedger
    ) -> None:
        ledger.enqueue("j")
        ledger.dispatch()
        job = ledger.claim("j")
        ledger.begin(job)
        ledger.now += LEASE + 1
        ledger.reap()
        again = run(ledger.redis, begin(job, lease_seconds=LEASE, clock=ledger.now))
        assert again == RefusedBy("uncertain", attempt=1)

        ledger.settle("j", outcome=AttemptOutcome.NOT_SENT, to=State.READY)
        assert ledger.state("j") is State.READY
        assert ledger.dispatch().jobs == ("j",)

    def test_another_claim_with_the_same_fence_cannot_begin(self, ledger: ClockedLedger) -> None:
        """As a server gives it that was restored to before the first claim."""
        ledger.enqueue("j")
        ledger.dispatch()
        frozen = ledger.claim("j", nonce="first")
        ledger.redis.hset(redis_keys.JOB + "j", mapping={"fence": "0"})
        ledger.redis.hdel(redis_keys.JOB + "j", "nonce", "worker")
        job = ledger.claim("j", nonce="second")
        assert frozen.fence == job.fence
        assert run(ledger.redis, begin(frozen, lease_seconds=LEASE, clock=ledger.now)) == RefusedBy(
            "fenced"
        )

        ledger.begin(job)
        assert run(ledger.redis, begin(frozen, lease_seconds=LEASE, clock=ledger.now)) == RefusedBy(
            "sending"
        )
