"""A job that somebody has altered so that it cannot be read: it ends, is told of once, and no other job notices."""

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
from certmail_worker.doctor.invariants import look, put_right
from support.data.garbage import JOBS
from support.machine.clocked_ledger import LEASE, Bench

HARMLESS: Final = {"a reason of no text", "a connection of nowhere"}
"""These can be read; a job without a lane ends anyway."""


def ready(bench: Bench) -> Job | None:
    return None


def scheduled(bench: Bench) -> Job | None:
    raise NotImplementedError


def claimed(bench: Bench) -> Job | None:
    assert "j" in bench.dispatch().jobs
    return bench.claim("j")


def sending(bench: Bench) -> Job | None:
    return bench.fly("j")


def uncertain(bench: Bench) -> Job | None:
    job = bench.fly("j")
    bench.settle("j", 1, AttemptOutcome.UNKNOWN, State.UNCERTAIN, at=bench.now + 10)
    return job


STAGES: Final[list[Callable[[Bench], Job | None]]] = [ready, scheduled, claimed, sending, uncertain]


def alter(redis: Redis, job: str, changes: Any) -> None:
    for name, value in changes.items():
        if value is None:
            redis.hdel(redis_keys.JOB + job, name)
        else:
            redis.hset(redis_keys.JOB + job, name, value.encode(errors="surrogateescape"))


def bench_with(redis: Redis, stage: Callable[[Bench], Job | None]) -> tuple[Bench, Job | None]:
    """A job at that stage, and another one in a lane of its own."""
    bench = Bench(redis)
    bench.lane("b")
    later = stage is scheduled
    bench.enqueue(
        "j",
        state=State.SCHEDULED if later else State.READY,
        send_at=bench.now + 5 if later else None,
    )
    job = None if later else stage(bench)
    bench.enqueue("other", lane="b")

    return bench, job


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("changes", JOBS.values(), ids=JOBS)
def test_no_script_stumbles_and_the_others_go_on(
    engine: Redis, stage: Callable[[Bench], Job | None], changes: Any
) -> None:
    engine.flushall()
    bench, job = bench_with(engine, stage)
    alter(engine, "j", changes)

    assert "other" in bench.dispatch().jobs
    run(
        engine, cancel_matching(0, tenant="acme", campaign="elsewhere", reason="r", clock=bench.now)
    )
    if job is not None:
        run(
            engine, claim(job.id, worker="w", nonce=job.nonce, lease_seconds=LEASE, clock=bench.now)
        )
        bench.try_to_begin(job)
        then = Settlement(
            AttemptOutcome.REJECTED, State.SCHEDULED, "r", at=bench.now + 60, counts=True
        )
        run(engine, settle(job.id, 1, then, detail="{}", clock=bench.now))
        run(engine, release(job, to=State.READY, reason="r", clock=bench.now))
    bench.claim("other")
    for _ in range(3):
        bench.now += 90 * 86_400
        bench.reap()
        bench.dispatch()

    assert bench.state("other") is State.EXPIRED
    assert bench.state("j") in FINAL | {State.UNCERTAIN}, "it can be read again, and has ended"
    places = [redis_keys.DUE, redis_keys.UNSURE, redis_keys.LANE + "a", redis_keys.LATER + "a"]
    for index in (
        places[:2] if "connection" in changes else places
    ):  # what it does not name, doctor finds
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
    redis: Redis, stage: Callable[[Bench], Job | None], state: State
) -> None:
    bench, _ = bench_with(redis, stage)
    alter(redis, "j", {"expires_at": "noon"})

    for _ in range(3):
        bench.now += LEASE + 1
        bench.reap()
        bench.dispatch()
        bench.now += 86_400 * 100
        bench.reap()

    assert bench.events().count("broken") == 1
    seen = bench.see("j")
    assert (seen.state, seen.held) == (state, state is State.UNCERTAIN)
    assert (seen.reason or "").startswith("job_broken: ")
    assert not redis.exists(redis_keys.BODY + "j")
    assert redis.ttl(redis_keys.JOB + "j") > 0


def test_its_places_are_free_for_the_next(redis: Redis) -> None:
    bench = Bench(redis)
    bench.lane("a", in_flight=1)
    bench.enqueue("j")
    bench.enqueue("next")
    assert bench.dispatch().jobs == ("j",)
    alter(redis, "j", {"fence": None})
    bench.now += LEASE + 1
    bench.reap()
    bench.now += 60
    assert bench.dispatch().jobs == ("next",)


def test_a_key_that_is_no_hash_is_as_good_as_broken(redis: Redis) -> None:
    bench, _ = bench_with(redis, ready)
    redis.set(redis_keys.JOB + "j", "a text")
    assert bench.dispatch().jobs == ("other",)
    assert bench.state("j") is State.FAILED


def test_attempts_by_the_million_are_not_counted_one_by_one(redis: Redis) -> None:
    bench, _ = bench_with(redis, uncertain)
    alter(redis, "j", {"attempt": "900000000000"})
    bench.now += 11
    bench.reap()
    assert bench.see("j").attempts == []


@pytest.mark.parametrize("changes", JOBS.values(), ids=JOBS)
def test_doctor_names_it_and_its_repair_ends_it(redis: Redis, changes: Any) -> None:
    bench, _ = bench_with(redis, ready)
    alter(redis, "j", changes)
    report = look(redis)

    if changes.keys() == {"reason"}:
        assert not report.found
        return

    assert "j" in report.found["lane_missing" if "nowhere" in changes.values() else "job_broken"]
    for _ in range(3):
        put_right(redis, look(redis))
    assert not look(redis).found
    assert bench.state("j") is State.FAILED


def test_a_lane_that_was_altered_stands_still_alone(redis: Redis) -> None:
    bench, _ = bench_with(redis, ready)

    for field in (
        "units_per_minute",
        "in_flight",
        "per_day",
        "project_units_per_minute",
        "send_units",
    ):
        redis.hset(redis_keys.LANE_INFO + "a", field, "many")
        bench.now += 60
        bench.dispatch()

    redis.hset(redis_keys.CAPACITY, "somebody", "plenty")
    bench.enqueue("another", lane="b")
    bench.now += 60
    assert bench.dispatch().jobs == ("another",)
    assert bench.state("j") is State.READY


@pytest.mark.parametrize(
    "value", [b"no json", b"[]", b"7", b'{"token": {}}', b"\xff", b"[" * 100_000]
)
def test_what_an_attempt_says_of_its_token_keeps_no_worker_from_the_job(
    redis: Redis, value: bytes
) -> None:
    bench, _ = bench_with(redis, ready)
    bench.dispatch()
    redis.hset(redis_keys.JOB + "j", "attempt:0", value)
    redis.hset(redis_keys.MAILBOX + "m-a", "strikes", "many")
    answer = run(
        redis, claim(JobId("j"), worker="w", nonce="n", lease_seconds=LEASE, clock=bench.now)
    )
    assert isinstance(answer, Claimed)
    assert (answer.job.refused_token, answer.job.strikes) == (None, 0)
