"""The ledger's invariants: each way to break one is found, named, and put right."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_worker.doctor.invariants import CODES, describe, find_violations, mend_all
from support.machine.clocked_ledger import ClockedLedger


@pytest.fixture
def ledger(redis: Redis) -> ClockedLedger:
    """Jobs in every state."""
    bench = ClockedLedger(redis)
    for lane in "bcdefg":
        bench.lane(lane)
    bench.lane("asleep", opened=False)
    bench.enqueue("ready", lane="asleep")
    bench.enqueue("scheduled", state=State.SCHEDULED, send_at=bench.now + 3600)

    for job, lane in zip(
        ("dispatched", "sending", "unsure", "held", "accepted", "failed"), "bcdefg", strict=True
    ):
        bench.enqueue(job, lane=lane)

    bench.dispatch()
    for job in ("sending", "unsure", "held", "accepted", "failed"):
        bench.begin(bench.claim(job))
    bench.settle("unsure", outcome=AttemptOutcome.UNKNOWN, to=State.UNCERTAIN, at=bench.now + 900)
    bench.settle("held", outcome=AttemptOutcome.UNKNOWN, to=State.UNCERTAIN)
    bench.settle("accepted")
    bench.settle("failed", outcome=AttemptOutcome.REJECTED, to=State.FAILED)

    return bench


def test_a_sound_ledger_shows_nothing(ledger: ClockedLedger) -> None:
    report = find_violations(ledger.redis)
    assert (report.found, report.count) == ({}, 0)
    assert report.looked_at > 8


Break = Callable[[Redis], object]
BREAKS: list[tuple[str, Break]] = [
    ("not_due", lambda redis: redis.zrem(redis_keys.DUE, "scheduled")),
    ("due_at_another_time", lambda redis: redis.zadd(redis_keys.DUE, {"sending": 1})),
    ("will_be_forgotten", lambda redis: redis.expire(redis_keys.JOB + "ready", 1000)),
    ("payload_missing", lambda redis: redis.delete(redis_keys.BODY + "ready")),
    ("payload_missing", lambda redis: redis.delete(redis_keys.BODY + "held")),
    ("no_request", lambda redis: redis.hset(redis_keys.JOB + "held", "attempt", "0")),
    ("key_lost", lambda redis: redis.delete(redis_keys.DEDUPE + "acme:ready")),
    ("in_no_lane", lambda redis: redis.zrem(redis_keys.LANE + "asleep", "ready")),
    ("out_of_order", lambda redis: redis.zadd(redis_keys.LANE + "asleep", {"ready": 1})),
    ("not_leased", lambda redis: redis.srem(redis_keys.LEASED, "sending")),
    ("not_leased", lambda redis: redis.srem(redis_keys.FLYING + "m-b", "dispatched")),
    ("not_leased", lambda redis: redis.zrem(redis_keys.WINDOW + "m-b:p", "dispatched")),
    ("not_leased", lambda redis: redis.zrem(redis_keys.WINDOW + "p", "sending")),
    ("miscounted", lambda redis: redis.hset(redis_keys.TAKEN + "acme", "all", "3")),
    ("miscounted", lambda redis: redis.hdel(redis_keys.TAKEN + "acme", "all")),
    ("not_in_later", lambda redis: redis.zrem(redis_keys.LATER + "a", "scheduled")),
    ("not_in_later", lambda redis: redis.zadd(redis_keys.LATER + "a", {"scheduled": 1})),
    ("kept_for_ever", lambda redis: redis.persist(redis_keys.JOB + "accepted")),
    ("payload_left", lambda redis: redis.set(redis_keys.BODY + "accepted", "x")),
    ("payload_without_job", lambda redis: redis.set(redis_keys.BODY + "nobody", "x")),
    ("key_without_job", lambda redis: redis.set(redis_keys.DEDUPE + "acme:nobody", "nobody|f")),
    ("misplaced", lambda redis: redis.zadd(redis_keys.DUE, {"accepted": 1})),
    ("misplaced", lambda redis: redis.zadd(redis_keys.DUE, {"nobody": 1})),
    ("misplaced", lambda redis: redis.zadd(redis_keys.LANE + "b", {"ready": 1})),
    ("misplaced", lambda redis: redis.sadd(redis_keys.LEASED, "accepted")),
    ("misplaced", lambda redis: redis.sadd(redis_keys.FLYING + "m-a", "accepted")),
    ("misplaced", lambda redis: redis.sadd(redis_keys.RINGING, "sending")),
    ("misplaced", lambda redis: redis.zadd(redis_keys.WINDOW + "p", {"ready": "inf"})),
    ("misplaced", lambda redis: redis.zadd(redis_keys.WINDOW + "m-a:p", {"sending": "inf"})),
    ("misplaced", lambda redis: redis.zadd(redis_keys.LATER + "a", {"ready": 1})),
    ("misplaced", lambda redis: redis.zadd(redis_keys.UNSURE, {"ready": 1})),
]


@pytest.mark.parametrize(("code", "break_it"), BREAKS)
def test_what_is_broken_is_named_and_put_right(
    ledger: ClockedLedger, code: str, break_it: Break
) -> None:
    break_it(ledger.redis)
    report = find_violations(ledger.redis)
    assert list(report.found) == [code]
    assert report.count == 1
    assert describe(code, report.found[code]).startswith("1 is ")
    assert mend_all(ledger.redis, report) == 1
    assert find_violations(ledger.redis).found == {}


def test_what_is_left_of_a_job_is_removed_with_its_entries(ledger: ClockedLedger) -> None:
    ledger.redis.hdel(redis_keys.JOB + "ready", "state")
    report = find_violations(ledger.redis)
    assert set(report.found) == {"job_broken", "misplaced"}
    mend_all(ledger.redis, report)
    # Nobody knew its key any more.
    assert set(find_violations(ledger.redis).found) <= {"key_without_job"}
    mend_all(ledger.redis, find_violations(ledger.redis))
    assert find_violations(ledger.redis).found == {}


def test_a_lane_that_nobody_would_visit_is_woken(ledger: ClockedLedger) -> None:
    ledger.enqueue("later")
    ledger.redis.zrem(redis_keys.WAKE, "a")
    report = find_violations(ledger.redis)
    assert dict(report.found) == {"lane_asleep": ["a"]}
    mend_all(ledger.redis, report)
    assert ledger.dispatch().jobs == ("later",)


def test_a_project_that_lanes_wait_for_is_woken(ledger: ClockedLedger) -> None:
    for lane in ("x", "y"):
        ledger.lane(lane, project="q", project_units_per_minute=100)
        ledger.enqueue(lane, lane=lane)

    assert ledger.dispatch().jobs == ("x",)
    ledger.settle("x", ledger.begin(ledger.claim("x")).attempt)
    ledger.redis.zrem(redis_keys.WAKE, "project:q")
    ledger.now += 61
    report = find_violations(ledger.redis)
    assert dict(report.found) == {"project_asleep": ["q"]}
    mend_all(ledger.redis, report)
    assert ledger.dispatch().jobs == ("y",)


def test_a_slot_that_leaked_is_free_again(ledger: ClockedLedger) -> None:
    ledger.redis.sadd(redis_keys.FLYING + "m-a", "accepted", "failed", "x", "y")
    ledger.enqueue("later")
    assert ledger.dispatch().jobs == ()
    mend_all(ledger.redis, find_violations(ledger.redis))
    assert ledger.dispatch().jobs == ("later",)


def test_a_reminder_whose_connection_is_unknown_is_named_and_ends(ledger: ClockedLedger) -> None:
    ledger.redis.delete(redis_keys.LANE_INFO + "asleep", redis_keys.LANE_INFO + "a")
    report = find_violations(ledger.redis)
    assert {code: set(subjects) for code, subjects in report.found.items()} == {
        "lane_missing": {"ready", "scheduled"}
    }
    mend_all(ledger.redis, report)
    assert find_violations(ledger.redis).found == {}
    for job in ("ready", "scheduled"):
        assert ledger.state(job) is State.FAILED
        assert str(ledger.see(job).reason).startswith("connection_removed: ")


def test_an_uncertain_reminder_needs_no_connection(ledger: ClockedLedger) -> None:
    """Somebody still has to say what became of it."""
    ledger.redis.delete(redis_keys.LANE_INFO + "d", redis_keys.LANE_INFO + "e")
    assert find_violations(ledger.redis).found == {}


def test_a_reminder_without_content_ends_as_failed_but_not_if_a_copy_may_be_out(
    ledger: ClockedLedger,
) -> None:
    ledger.now += 901
    ledger.reap()
    assert ledger.state("unsure") is State.READY

    ledger.redis.delete(redis_keys.BODY + "ready", redis_keys.BODY + "unsure")
    mend_all(ledger.redis, find_violations(ledger.redis))
    assert (ledger.state("ready"), ledger.state("unsure")) == (State.FAILED, State.UNCERTAIN)
    assert find_violations(ledger.redis).found == {}
    assert ledger.enqueue("anew", dedupe="ready").code == "enqueued"
    assert ledger.enqueue("again", dedupe="unsure").code == "duplicate"


def test_every_invariant_is_broken_here_once() -> None:
    elsewhere = {"job_broken", "lane_asleep", "lane_missing", "project_asleep"}
    assert {code for code, _ in BREAKS} | elsewhere == set(CODES)


def test_a_thousand_jobs_are_looked_at_page_by_page(ledger: ClockedLedger) -> None:
    for n in range(1000):
        ledger.enqueue(f"j{n}")
    seen: list[int] = []
    report = find_violations(ledger.redis, seen.append)
    assert report.found == {}
    assert len(seen) > 5
    assert seen == sorted(seen)
    assert report.looked_at >= 3 * 1000 + 2 * 1000
