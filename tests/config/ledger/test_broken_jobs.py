"""A job that somebody has altered so that it cannot be read.

It ends, is told of once, and no other job notices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.base.ids import JobId
from certmail_config.jobs.states import FINAL, AttemptOutcome, State
from certmail_config.ledger import Settlement, cancel_matching, claim, release, run, settle
from certmail_config.ledger.values import Claimed, Job
from certmail_worker.doctor.invariants import find_violations, mend_all
from support.data.garbage import JOBS
from support.machine.clocked_ledger import LEASE, ClockedLedger

HARMLESS: Final = {"a reason of no text", "a connection of nowhere"}
"""These can be read; a job without a lane ends anyway."""


def ready(ledger: ClockedLedger) -> Job | None:
    return None


def scheduled(ledger: ClockedLedger) -> Job | None:
    raise NotImplementedError


def claimed(ledger: ClockedLedger) -> Job | None:
    assert "j" in ledger.dispatch().jobs
    return ledger.claim("j")


def sending(ledger: ClockedLedger) -> Job | None:
    return ledger.fly("j")


def uncertain(ledger: ClockedLedger) -> Job | None:
    job = ledger.fly("j")
    ledger.settle("j", 1, AttemptOutcome.UNKNOWN, State.UNCERTAIN, at=ledger.now + 10)
    return job


STAGES: Final[list[Callable[[ClockedLedger], Job | None]]] = [
    ready,
    scheduled,
    claimed,
    sending,
    uncertain,
]


def alter(redis: Redis, job: str, changes: Any) -> None:
    for name, value in changes.items():
        if value is None:
            redis.hdel(redis_keys.JOB + job, name)
        else:
            redis.hset(redis_keys.JOB + job, name, value.encode(errors="surrogateescape"))


def bench_with(
    redis: Redis, stage: Callable[[ClockedLedger], Job | None]
) -> tuple[ClockedLedger, Job | None]:
    """A job at that stage, and another one in a lane of its own."""
    ledger = ClockedLedger(redis)
    ledger.lane("b")
    later = stage is scheduled
    ledger.enqueue(
        "j",
        state=State.SCHEDULED if later else State.READY,
        send_at=ledger.now + 5 if later else None,
    )
    job = None if later else stage(ledger)
    ledger.enqueue("other", lane="b")

    return ledger, job


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("changes", JOBS.values(), ids=JOBS)
def test_no_script_stumbles_and_the_others_go_on(
    engine: Redis, stage: Callable[[ClockedLedger], Job | None], changes: Any
) -> None:
    engine.flushall()
    ledger, job = bench_with(engine, stage)
    alter(engine, "j", changes)

    assert "other" in ledger.dispatch().jobs
    run(
        engine,
        cancel_matching(0, tenant="acme", campaign="elsewhere", reason="r", clock=ledger.now),
    )
    if job is not None:
        run(
            engine,
            claim(job.id, worker="w", nonce=job.nonce, lease_seconds=LEASE, clock=ledger.now),
        )
        ledger.try_to_begin(job)
        then = Settlement(
            AttemptOutcome.REJECTED, State.SCHEDULED, "r", at=ledger.now + 60, counts=True
        )
        run(engine, settle(job.id, 1, then, detail="{}", clock=ledger.now))
        run(engine, release(job, to=State.READY, reason="r", clock=ledger.now))
    ledger.claim("other")
    for _ in range(3):
        ledger.now += 90 * 86_400
        ledger.reap()
        ledger.dispatch()

    assert ledger.state("other") is State.EXPIRED
    assert ledger.state("j") in FINAL | {State.UNCERTAIN}, "it can be read again, and has ended"
    places = [redis_keys.DUE, redis_keys.UNSURE, redis_keys.LANE + "a", redis_keys.LATER + "a"]
    # What it does not name, doctor finds.
    for index in places[:2] if "connection" in changes else places:
        assert engine.zscore(index, "j") is None, index
    for index in (redis_keys.LEASED, redis_keys.RINGING, redis_keys.FLYING + "m-a"):
        assert not engine.sismember(index, "j"), index


@pytest.mark.parametrize(
    ("stage", "state"),
    [
        (ready, State.FAILED),
        (scheduled, State.FAILED),
        (claimed, State.FAILED),
        (sending, State.UNCERTAIN),
        (uncertain, State.UNCERTAIN),
    ],
)
def test_its_end_is_told_once_with_the_reason_and_denies_no_request(
    redis: Redis, stage: Callable[[ClockedLedger], Job | None], state: State
) -> None:
    ledger, _ = bench_with(redis, stage)
    alter(redis, "j", {"expires_at": "noon"})

    for _ in range(3):
        ledger.now += LEASE + 1
        ledger.reap()
        ledger.dispatch()
        ledger.now += 86_400 * 100
        ledger.reap()

    assert ledger.events().count("broken") == 1
    seen = ledger.see("j")
    assert (seen.state, seen.held) == (state, state is State.UNCERTAIN)
    assert (seen.reason or "").startswith("job_broken: ")
    assert not redis.exists(redis_keys.BODY + "j")
    assert redis.ttl(redis_keys.JOB + "j") > 0


def test_its_places_are_free_for_the_next(redis: Redis) -> None:
    ledger = ClockedLedger(redis)
    ledger.lane("a", in_flight=1)
    ledger.enqueue("j")
    ledger.enqueue("next")
    assert ledger.dispatch().jobs == ("j",)
    alter(redis, "j", {"fence": None})
    ledger.now += LEASE + 1
    ledger.reap()
    ledger.now += 60
    assert ledger.dispatch().jobs == ("next",)


def test_a_key_that_is_no_hash_is_as_good_as_broken(redis: Redis) -> None:
    ledger, _ = bench_with(redis, ready)
    redis.set(redis_keys.JOB + "j", "a text")
    assert ledger.dispatch().jobs == ("other",)
    assert ledger.state("j") is State.FAILED


def test_attempts_by_the_million_are_not_counted_one_by_one(redis: Redis) -> None:
    ledger, _ = bench_with(redis, uncertain)
    alter(redis, "j", {"attempt": "900000000000"})
    ledger.now += 11
    ledger.reap()
    assert ledger.see("j").attempts == []


@pytest.mark.parametrize("changes", JOBS.values(), ids=JOBS)
def test_doctor_names_it_and_its_repair_ends_it(redis: Redis, changes: Any) -> None:
    ledger, _ = bench_with(redis, ready)
    alter(redis, "j", changes)
    report = find_violations(redis)

    if changes.keys() == {"reason"}:
        assert not report.found
        return

    assert "j" in report.found["lane_missing" if "nowhere" in changes.values() else "job_broken"]
    for _ in range(3):
        mend_all(redis, find_violations(redis))
    assert not find_violations(redis).found
    assert ledger.state("j") is State.FAILED


def test_a_lane_that_was_altered_stands_still_alone(redis: Redis) -> None:
    ledger, _ = bench_with(redis, ready)

    for field in (
        "units_per_minute",
        "in_flight",
        "per_day",
        "project_units_per_minute",
        "send_units",
    ):
        redis.hset(redis_keys.LANE_INFO + "a", field, "many")
        ledger.now += 60
        ledger.dispatch()

    redis.hset(redis_keys.CAPACITY, "somebody", "plenty")
    ledger.enqueue("another", lane="b")
    ledger.now += 60
    assert ledger.dispatch().jobs == ("another",)
    assert ledger.state("j") is State.READY


@pytest.mark.parametrize(
    "value", [b"no json", b"[]", b"7", b'{"token": {}}', b"\xff", b"[" * 100_000]
)
def test_what_an_attempt_says_of_its_token_keeps_no_worker_from_the_job(
    redis: Redis, value: bytes
) -> None:
    ledger, _ = bench_with(redis, ready)
    ledger.dispatch()
    redis.hset(redis_keys.JOB + "j", "attempt:0", value)
    redis.hset(redis_keys.MAILBOX + "m-a", "strikes", "many")
    answer = run(
        redis, claim(JobId("j"), worker="w", nonce="n", lease_seconds=LEASE, clock=ledger.now)
    )

    assert isinstance(answer, Claimed)
    assert (answer.job.refused_token, answer.job.strikes) == (None, 0)
