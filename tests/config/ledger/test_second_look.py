"""What the pacer has seen holds when a request begins, or is looked at once more.

It is looked at again only where somebody may have been leased by other limits meanwhile; and what
the pacer reads and writes for many jobs at once is on record whatever stops it.
"""

from __future__ import annotations

import pytest
from redis import ResponseError

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import Job, Pause, RefusedBy, run, spend
from support.machine.clocked_ledger import ClockedLedger

FULL = RefusedBy("minute_full")


def claimed(ledger: ClockedLedger, job: str) -> Job:
    assert job in ledger.dispatch().jobs
    return ledger.claim(job)


@pytest.fixture
def slow(ledger: ClockedLedger) -> Job:
    """A job of a lane that may send two a minute; its mailbox has another lane, `a`."""
    ledger.lane("slow", mailbox="m-a", units=200)
    ledger.enqueue("s", lane="slow")
    return claimed(ledger, "s")


def test_where_nothing_happened_it_begins(ledger: ClockedLedger, slow: Job) -> None:
    ledger.begin(slow)


def test_another_lane_of_its_mailbox_with_higher_limits_has_filled_its_minute(
    ledger: ClockedLedger, slow: Job
) -> None:
    ledger.fill("a", 2)
    ledger.now += 31
    ledger.fly("a0")
    ledger.now += 1.1
    ledger.fly("a1")
    assert ledger.try_to_begin(slow) == FULL


def test_so_has_what_the_other_lane_spent_on_looking(ledger: ClockedLedger, slow: Job) -> None:
    ledger.fill("a", 1)
    ledger.now += 31
    assert run(ledger.redis, spend(ConnectionId("a"), 200, nonce="n", clock=ledger.now))
    assert ledger.try_to_begin(slow) == FULL


def test_google_has_told_less_and_the_pause_for_it_is_over(ledger: ClockedLedger) -> None:
    ledger.lane("a", units=15_000)
    ledger.fill("a", 3)
    told = claimed(ledger, "a0")
    ledger.begin(told)
    ledger.now += 0.5
    waits = claimed(ledger, "a1")
    ledger.now += 0.5
    ledger.fly("a2")

    ledger.settle(
        "a0", 1, AttemptOutcome.REJECTED, State.SCHEDULED,
        at=ledger.now + 1e5, pause=Pause(ledger.now + 1, named=True, allowed=100),
    )  # fmt: skip
    ledger.now += 2
    ledger.settle("a2")
    assert ledger.field(redis_keys.MAILBOX + "m-a", "cooling") is None
    assert ledger.try_to_begin(waits) == FULL


def test_an_older_pacer_did_not_say_by_which_limits_it_leased(ledger: ClockedLedger) -> None:
    ledger.lane("a", units=100)
    ledger.enqueue("j")
    job = claimed(ledger, "j")
    ledger.redis.hdel(redis_keys.JOB + "j", "limits")
    ledger.redis.zadd(redis_keys.WINDOW + "m-a:p", {"other:1": (ledger.now + 50) * 1000})
    assert ledger.try_to_begin(job) == FULL


def test_what_stops_the_pacer_keeps_nobody_else_from_a_lease(ledger: ClockedLedger) -> None:
    ledger.lane("b")
    ledger.redis.set(redis_keys.WINDOW + "m-b:p", "no zset")
    for lane in ("a", "b"):
        ledger.enqueue(lane, lane=lane)

    with pytest.raises(ResponseError):
        ledger.dispatch()

    assert ledger.state("a") is State.DISPATCHED
    assert ledger.redis.smembers(redis_keys.LEASED) == {b"a"}
    assert ledger.redis.smembers(redis_keys.RINGING) == {b"a"}
    for window in ("m-a:p", "p"):
        assert ledger.redis.zscore(redis_keys.WINDOW + window, "a") == float("inf")
    ledger.begin(ledger.claim("a"))


def test_a_meter_in_use_is_kept_and_one_at_rest_is_forgotten(ledger: ClockedLedger) -> None:
    keys = [
        prefix + meter
        for prefix in (redis_keys.PACE, redis_keys.WINDOW)
        for meter in ("m-a:p", "p")
    ]
    ledger.fill("a", 2)
    ledger.fly("a0")
    ledger.settle("a0")
    first = [ledger.redis.pttl(key) for key in keys]
    assert min(first) > 0

    for key in keys:
        ledger.redis.pexpire(key, 60_000)
    ledger.now += 16 * 60
    ledger.fly("a1")
    assert [ledger.redis.pttl(key) for key in keys] == pytest.approx(first, abs=50_000)


def test_what_was_accepted_keeps_nothing_of_its_lease(ledger: ClockedLedger) -> None:
    ledger.enqueue("j")
    ledger.fly("j")
    ledger.settle("j")
    left = ledger.redis.hgetall(redis_keys.JOB + "j").keys()
    leases = {"lease", "nonce", "worker", "day", "step", "project_step", "limits", "held"}
    assert not left & {name.encode() for name in leases}
