"""Restoring jobs from the record: what the ledger knows better stays, and nothing that left may leave again."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis

from certmail_config import keys
from certmail_config.ids import JobId
from certmail_config.ledger import advertise, run
from certmail_config.ledger.transitions import UncheckedError
from certmail_config.ledger.upkeep import CheckedError, KnownAttempt, KnownJob, Restored, restore
from certmail_config.states import AttemptOutcome, State
from support.bench import Bench

UNDER_WAY = KnownAttempt(1, 1_800_000_000.0, "unknown", "{}")


@pytest.fixture
def ledger(redis: Redis) -> Bench:
    """A server that was restored: job `j` waits, as it did when the copy was made."""
    bench = Bench(redis)
    bench.enqueue("j")
    redis.delete(keys.CHECKED_RUN)
    return bench


def put(ledger: Bench, job: str, to: State, **more: Any) -> Restored:
    return run(ledger.redis, restore(JobId(job), to=to, reason="restored", clock=ledger.now, **more))


def known(ledger: Bench, dedupe: str) -> KnownJob:
    return KnownJob(
        "acme", "a", "reminder", "q4", f"acme:{dedupe}", "f", ledger.now, ledger.now + 9, 90 * 86400
    )


def test_what_ended_on_record_ends_here(ledger: Bench) -> None:
    assert put(ledger, "j", State.ACCEPTED).state is State.ACCEPTED
    assert ledger.state("j") is State.ACCEPTED
    assert not ledger.redis.exists(keys.BODY + "j")


def test_what_could_have_left_is_held_and_counted_once(ledger: Bench) -> None:
    for _ in range(2):
        put(ledger, "j", State.UNCERTAIN, could_have_left=True)
    assert (ledger.state("j"), ledger.see("j").held) == (State.UNCERTAIN, True)
    assert ledger.redis.hgetall(keys.HELD_BACK) == {b"a": b"1"}


def test_a_worker_that_lived_on_knows_better_than_the_record(ledger: Bench) -> None:
    ledger.settle("j", outcome=AttemptOutcome.ACCEPTED, to=State.ACCEPTED)
    assert put(ledger, "j", State.UNCERTAIN, attempts=[UNDER_WAY]).state is State.ACCEPTED
    assert ledger.state("j") is State.ACCEPTED


def test_what_a_worker_knows_not_to_have_left_is_no_doubt(ledger: Bench) -> None:
    ledger.settle("j", outcome=AttemptOutcome.NOT_SENT, to=State.READY)
    assert put(ledger, "j", State.UNCERTAIN, attempts=[UNDER_WAY]).state is State.READY
    assert ledger.state("j") is State.READY


def test_what_somebody_called_off_meanwhile_stays_so(ledger: Bench) -> None:
    ledger.cancel("j")
    assert put(ledger, "j", State.UNCERTAIN).state is State.CANCELLED


def test_a_forgotten_job_is_remembered_by_its_key(ledger: Bench) -> None:
    assert put(ledger, "gone", State.ACCEPTED, known=known(ledger, "k")).state is State.ACCEPTED
    assert ledger.enqueue("again", dedupe="k").code == "duplicate"


def test_a_lost_job_may_be_enqueued_again(ledger: Bench) -> None:
    assert put(ledger, "gone", State.FAILED, known=known(ledger, "k")).state is State.FAILED
    assert ledger.enqueue("again", dedupe="k").code == "enqueued"


def test_the_same_reminder_enqueued_meanwhile_is_called_off(ledger: Bench) -> None:
    ledger.enqueue("again", dedupe="k")
    done = put(ledger, "gone", State.UNCERTAIN, known=known(ledger, "k"), attempts=[UNDER_WAY])
    assert done == Restored(State.UNCERTAIN, JobId("again"))
    assert ledger.state("again") is State.CANCELLED


def test_attempts_are_counted_on(ledger: Bench) -> None:
    put(ledger, "j", State.READY, attempts=[KnownAttempt(1, ledger.now, "rejected", "{}")])
    ledger.redis.set(keys.CHECKED_RUN, str(ledger.redis.info("server")["run_id"]))
    ledger.dispatch()
    assert ledger.begin(ledger.claim("j")).attempt == 2


def test_a_server_in_use_is_not_restored(ledger: Bench) -> None:
    ledger.redis.set(keys.CHECKED_RUN, str(ledger.redis.info("server")["run_id"]))
    with pytest.raises(CheckedError):
        put(ledger, "j", State.UNCERTAIN)


def test_news_of_a_forgotten_job_is_to_be_told_again_later(ledger: Bench) -> None:
    with pytest.raises(UncheckedError):
        ledger.settle("gone")
    put(ledger, "gone", State.UNCERTAIN, known=known(ledger, "k"), attempts=[UNDER_WAY])
    assert ledger.settle("gone") is State.ACCEPTED


def test_a_worker_that_lived_on_sees_that_time_went_back(redis: Redis) -> None:
    bench = Bench(redis)
    noted = run(redis, advertise("w", 1, seconds=5, clock=bench.now)).now
    run(redis, advertise("w", 1, seconds=5, last=noted, clock=bench.now + 1))
    assert not redis.exists(keys.WENT_BACK)
    redis.set(keys.CLOCK, str(round((noted - 60) * 1000)))
    run(redis, advertise("w", 1, seconds=5, last=noted, clock=bench.now + 2))
    assert redis.exists(keys.WENT_BACK)
    assert bench.dispatch().stopped == "unchecked"
