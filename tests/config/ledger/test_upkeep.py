"""Restoring jobs from the record.

What the ledger knows better stays, and nothing that left may leave again.
"""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.base.ids import JobId
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import advertise, run
from certmail_config.ledger.delivery import UncheckedError
from certmail_config.ledger.upkeep import CheckedError, KnownAttempt, KnownJob, Restored, restore
from certmail_worker.doctor.invariants import find_violations, mend_all
from certmail_worker.uncertain.pending_checks import read_unsure
from support.machine.clocked_ledger import START, ClockedLedger

LOST_IN_RESTORE = (
    "lost: its content was not in the copy that Redis was restored from; enqueue it again"
)
UNDER_WAY = KnownAttempt(1, 1_800_000_000.0, "unknown", "{}")


@pytest.fixture
def ledger(redis: Redis) -> ClockedLedger:
    """A server that was restored: job `j` waits, as it did when the copy was made."""
    ledger = ClockedLedger(redis)
    ledger.enqueue("j")
    redis.delete(redis_keys.CHECKED_RUN)
    return ledger


def put(ledger: ClockedLedger, job: str, to: State, **more: Any) -> Restored:
    return run(
        ledger.redis, restore(JobId(job), to=to, reason="restored", clock=ledger.now, **more)
    )


def known(ledger: ClockedLedger, dedupe: str) -> KnownJob:
    return KnownJob(
        "acme", "a", "reminder", "q4", f"acme:{dedupe}", "f", ledger.now, ledger.now + 9, 90 * 86400
    )


def test_what_ended_on_record_ends_here(ledger: ClockedLedger) -> None:
    assert put(ledger, "j", State.ACCEPTED).state is State.ACCEPTED
    assert ledger.state("j") is State.ACCEPTED
    assert not ledger.redis.exists(redis_keys.BODY + "j")


def test_what_could_have_left_is_held_and_counted_once(ledger: ClockedLedger) -> None:
    for _ in range(2):
        put(ledger, "j", State.UNCERTAIN, could_have_left=ledger.now - 60)
    assert (ledger.state("j"), ledger.see("j").held) == (State.UNCERTAIN, True)
    assert ledger.redis.hgetall(redis_keys.HELD_BACK) == {b"a": b"1"}


class TestWhatIsHeldCanBeSettled:
    """A request that could have been made is presumed.

    Of what nobody knows of nothing could be said.
    """

    def test_the_request_that_could_have_been_made_is_the_next_one(
        self, ledger: ClockedLedger
    ) -> None:
        put(ledger, "j", State.UNCERTAIN, could_have_left=ledger.now + 60)
        [attempt] = ledger.see("j").attempts
        assert (attempt.n, attempt.outcome) == (1, AttemptOutcome.UNKNOWN)
        assert attempt.begun_at.timestamp() == ledger.now + 60
        newest: Any = ledger.redis.xrevrange(redis_keys.EVENTS, count=1)
        [(_, fields)] = newest
        assert (fields[b"attempt"], fields[b"held"]) == (b"1", b"1")

    def test_behind_those_that_are_on_record(self, ledger: ClockedLedger) -> None:
        refused = KnownAttempt(1, ledger.now, "rejected", "{}")
        put(ledger, "j", State.UNCERTAIN, attempts=[refused], could_have_left=ledger.now)
        assert [each.outcome for each in ledger.see("j").attempts] == ["rejected", "unknown"]

    def test_none_is_presumed_where_one_is_in_doubt_already(self, ledger: ClockedLedger) -> None:
        put(ledger, "j", State.UNCERTAIN, attempts=[UNDER_WAY], could_have_left=ledger.now)
        assert len(ledger.see("j").attempts) == 1

    def test_what_did_not_leave_is_sent_again(self, ledger: ClockedLedger) -> None:
        put(ledger, "j", State.UNCERTAIN, could_have_left=ledger.now)
        said = ledger.settle("j", outcome=AttemptOutcome.NOT_SENT, to=State.READY)
        assert said is State.READY
        ledger.redis.set(redis_keys.CHECKED_RUN, str(ledger.redis.info("server")["run_id"]))
        ledger.dispatch()
        assert ledger.begin(ledger.claim("j")).attempt == 2
        assert ledger.settle("j", 2) is State.ACCEPTED

    def test_what_arrived_is_accepted(self, ledger: ClockedLedger) -> None:
        put(ledger, "j", State.UNCERTAIN, could_have_left=ledger.now)
        assert ledger.settle("j") is State.ACCEPTED

    @pytest.mark.parametrize("told", [(), (KnownAttempt(1, START, "unknown", "{}"),)])
    def test_where_one_may_look_it_is_looked_up_in_its_mailbox(
        self, ledger: ClockedLedger, told: tuple[KnownAttempt, ...]
    ) -> None:
        ledger.lane("v", verify=True)
        ledger.enqueue("k", connection="v")
        put(ledger, "k", State.UNCERTAIN, attempts=told, could_have_left=ledger.now)
        fields: Any = ledger.redis.hgetall(redis_keys.JOB + "k")
        item = read_unsure(JobId("k"), fields)
        assert item is not None
        assert (item.mailbox, item.attempts, item.begun_at) == ("m-v", (1,), ledger.now)
        assert ledger.redis.zscore(redis_keys.UNSURE, "k") is not None

    def test_a_doubt_of_an_older_repair_that_nobody_can_settle_is_found_and_mended(
        self, ledger: ClockedLedger
    ) -> None:
        put(ledger, "j", State.UNCERTAIN, could_have_left=ledger.now)
        ledger.redis.hdel(redis_keys.JOB + "j", "begun:1", "outcome:1")
        ledger.redis.hset(redis_keys.JOB + "j", "attempt", "0")
        report = find_violations(ledger.redis)
        assert report.found == {"no_request": ["j"]}
        mend_all(ledger.redis, report)
        assert not find_violations(ledger.redis).found
        assert ledger.settle("j", outcome=AttemptOutcome.NOT_SENT, to=State.READY) is State.READY


class TestWhatIsForgotten:
    """Its content is lost: what is left to find out is whether it had left."""

    def forget(self, ledger: ClockedLedger) -> None:
        done = put(
            ledger, "gone", State.UNCERTAIN, known=known(ledger, "k"), could_have_left=ledger.now
        )
        assert done.state is State.UNCERTAIN

    def test_it_is_held_like_any_other_and_breaks_nothing(self, ledger: ClockedLedger) -> None:
        self.forget(ledger)
        assert ledger.see("gone").held
        assert not find_violations(ledger.redis).found
        assert ledger.enqueue("again", dedupe="k", fingerprint="f").code == "duplicate"

    def test_what_did_not_leave_is_lost_and_its_key_is_free(self, ledger: ClockedLedger) -> None:
        self.forget(ledger)
        said = ledger.settle("gone", outcome=AttemptOutcome.NOT_SENT, to=State.READY)
        assert (said, ledger.see("gone").reason) == (State.FAILED, LOST_IN_RESTORE)
        assert ledger.enqueue("again", dedupe="k", fingerprint="f").code == "enqueued"

    def test_what_arrived_stays_known_by_its_key(self, ledger: ClockedLedger) -> None:
        self.forget(ledger)
        assert ledger.settle("gone") is State.ACCEPTED
        assert ledger.enqueue("again", dedupe="k", fingerprint="f").code == "duplicate"


def test_a_worker_that_lived_on_knows_better_than_the_record(ledger: ClockedLedger) -> None:
    ledger.settle("j", outcome=AttemptOutcome.ACCEPTED, to=State.ACCEPTED)
    assert put(ledger, "j", State.UNCERTAIN, attempts=[UNDER_WAY]).state is State.ACCEPTED
    assert ledger.state("j") is State.ACCEPTED


def test_what_a_worker_knows_not_to_have_left_is_no_doubt(ledger: ClockedLedger) -> None:
    ledger.settle("j", outcome=AttemptOutcome.NOT_SENT, to=State.READY)
    assert put(ledger, "j", State.UNCERTAIN, attempts=[UNDER_WAY]).state is State.READY
    assert ledger.state("j") is State.READY


def test_what_somebody_called_off_meanwhile_stays_so(ledger: ClockedLedger) -> None:
    ledger.cancel("j")
    assert put(ledger, "j", State.UNCERTAIN).state is State.CANCELLED


def test_a_forgotten_job_is_remembered_by_its_key(ledger: ClockedLedger) -> None:
    assert put(ledger, "gone", State.ACCEPTED, known=known(ledger, "k")).state is State.ACCEPTED
    assert ledger.enqueue("again", dedupe="k").code == "duplicate"


def test_a_lost_job_may_be_enqueued_again(ledger: ClockedLedger) -> None:
    assert put(ledger, "gone", State.FAILED, known=known(ledger, "k")).state is State.FAILED
    assert ledger.enqueue("again", dedupe="k").code == "enqueued"


def test_the_same_reminder_enqueued_meanwhile_is_called_off(ledger: ClockedLedger) -> None:
    ledger.enqueue("again", dedupe="k")
    done = put(ledger, "gone", State.UNCERTAIN, known=known(ledger, "k"), attempts=[UNDER_WAY])
    assert done == Restored(State.UNCERTAIN, JobId("again"))
    assert ledger.state("again") is State.CANCELLED


def test_attempts_are_counted_on(ledger: ClockedLedger) -> None:
    put(ledger, "j", State.READY, attempts=[KnownAttempt(1, ledger.now, "rejected", "{}")])
    ledger.redis.set(redis_keys.CHECKED_RUN, str(ledger.redis.info("server")["run_id"]))
    ledger.dispatch()
    assert ledger.begin(ledger.claim("j")).attempt == 2


def test_a_server_in_use_is_not_restored(ledger: ClockedLedger) -> None:
    ledger.redis.set(redis_keys.CHECKED_RUN, str(ledger.redis.info("server")["run_id"]))
    with pytest.raises(CheckedError):
        put(ledger, "j", State.UNCERTAIN)


def test_news_of_a_forgotten_job_is_to_be_told_again_later(ledger: ClockedLedger) -> None:
    with pytest.raises(UncheckedError):
        ledger.settle("gone")
    put(ledger, "gone", State.UNCERTAIN, known=known(ledger, "k"), attempts=[UNDER_WAY])
    assert ledger.settle("gone") is State.ACCEPTED


def test_a_worker_that_lived_on_sees_that_time_went_back(redis: Redis) -> None:
    ledger = ClockedLedger(redis)
    noted = run(redis, advertise("w", 1, seconds=5, clock=ledger.now)).now
    run(redis, advertise("w", 1, seconds=5, last=noted, clock=ledger.now + 1))
    assert not redis.exists(redis_keys.WENT_BACK)
    redis.set(redis_keys.CLOCK, str(round((noted - 60) * 1000)))
    run(redis, advertise("w", 1, seconds=5, last=noted, clock=ledger.now + 2))
    assert redis.exists(redis_keys.WENT_BACK)
    assert ledger.dispatch().stopped == "unchecked"


@pytest.mark.parametrize("to", [State.ACCEPTED, State.FAILED, State.READY, State.UNCERTAIN])
def test_a_job_that_cannot_be_read_ends_and_what_the_record_knows_of_it_holds(
    ledger: ClockedLedger, to: State
) -> None:
    ledger.redis.hset(redis_keys.JOB + "j", "expires_at", "noon")
    ledger.enqueue("other")
    assert put(ledger, "j", to).state is (State.ACCEPTED if to is State.ACCEPTED else State.FAILED)
    assert put(ledger, "other", State.READY).state is State.READY
    assert ledger.redis.zscore(redis_keys.DUE, "j") is None


def test_nor_does_a_key_that_is_no_hash_keep_the_others_from_being_restored(
    ledger: ClockedLedger,
) -> None:
    ledger.redis.set(redis_keys.JOB + "j", "a text")
    assert put(ledger, "j", State.ACCEPTED).state is State.ACCEPTED
