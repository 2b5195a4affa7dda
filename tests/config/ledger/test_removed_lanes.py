"""A lane that goes with its connection, and what becomes of reminders that are left without one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import Pause, remove_lane, run
from support.machine.clocked_ledger import ClockedLedger


def remove(ledger: ClockedLedger, lane: str = "a") -> int:
    return run(ledger.redis, remove_lane(ConnectionId(lane), clock=ledger.now))


def doubt(ledger: ClockedLedger, job: str, *, again: float | None = None) -> None:
    """Nobody knows what became of its request."""
    ledger.enqueue(job)
    ledger.fly(job)
    at = None if again is None else ledger.now + again
    ledger.settle(job, outcome=AttemptOutcome.UNKNOWN, to=State.UNCERTAIN, at=at)
    ledger.now += 2


def everything(ledger: ClockedLedger) -> dict[bytes, Any]:
    return {key: ledger.redis.dump(key) for key in ledger.redis.scan_iter()}


WAYS: dict[str, Callable[[ClockedLedger], object]] = {
    "waits": lambda ledger: ledger.enqueue("j"),
    "waits for a time": lambda ledger: ledger.enqueue(
        "j", state=State.SCHEDULED, send_at=ledger.now + 60
    ),
    "is leased": lambda ledger: (ledger.enqueue("j"), ledger.dispatch()),
    "is being sent": lambda ledger: (ledger.enqueue("j"), ledger.fly("j")),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_lane_in_use_stays_as_it_is(ledger: ClockedLedger, way: str) -> None:
    ledger.lane("b")
    WAYS[way](ledger)
    before = everything(ledger)
    assert remove(ledger) == 1
    assert everything(ledger) == before
    assert remove(ledger, "b") == 0


def test_nothing_is_left_of_a_lane_and_nothing_can_be_enqueued_for_it(
    ledger: ClockedLedger,
) -> None:
    for lane in ("b", "c"):
        ledger.lane(lane, project="q", mailbox="m", in_flight=1)
        ledger.enqueue(lane, lane=lane)

    assert ledger.dispatch().jobs == ("b",)
    ledger.now += 2
    assert ledger.dispatch().jobs == ()
    assert ledger.redis.smembers(redis_keys.BLOCKED + "m") == {b"c"}
    ledger.cancel("c")
    assert remove(ledger, "c") == 0
    assert [
        key
        for key in (redis_keys.BLOCKED + "m", redis_keys.LANE_INFO + "c")
        if ledger.redis.exists(key)
    ] == []
    assert ledger.redis.smembers(redis_keys.LANES + "q") == {b"b"}
    assert ledger.redis.zscore(redis_keys.WAKE, "c") is None
    assert ledger.enqueue("late", lane="c").code == "unknown_connection"
    assert ledger.events()[-1] == "removed"
    before = everything(ledger)
    assert remove(ledger, "c") == 0
    assert everything(ledger) == before, "called again it changes nothing"


def test_one_that_waits_for_its_project_leaves_the_queue(ledger: ClockedLedger) -> None:
    for lane in ("b", "c", "d"):
        ledger.lane(lane, project="q", project_units_per_minute=100)
        ledger.enqueue(lane, lane=lane)

    assert ledger.dispatch().jobs == ("b",)
    assert ledger.redis.zrange(redis_keys.QUEUE + "q", 0, -1) == [b"c", b"d"]
    ledger.cancel("c")
    assert remove(ledger, "c") == 0
    assert ledger.redis.zrange(redis_keys.QUEUE + "q", 0, -1) == [b"d"]
    ledger.settle("b", ledger.begin(ledger.claim("b")).attempt)
    ledger.now += 62
    assert ledger.dispatch().jobs == ("d",)


class TestUncertain:
    """What became of its request is unknown, and its connection was removed."""

    def test_it_stays_and_can_be_settled(self, ledger: ClockedLedger) -> None:
        doubt(ledger, "arrived")
        doubt(ledger, "not sent")
        assert remove(ledger) == 0
        assert ledger.state("arrived") is State.UNCERTAIN
        assert ledger.settle("arrived") is State.ACCEPTED
        assert (
            ledger.settle("not sent", outcome=AttemptOutcome.NOT_SENT, to=State.READY)
            is State.FAILED
        )

        view = ledger.see("not sent")
        assert str(view.reason).startswith("connection_removed: ")
        assert not view.held
        assert (
            ledger.redis.exists(
                redis_keys.BODY + "not sent", redis_keys.LANE + "a", redis_keys.LATER + "a"
            )
            == 0
        )

    def test_one_that_was_called_off_with_its_connection_ends_as_failed_too(
        self, ledger: ClockedLedger
    ) -> None:
        doubt(ledger, "j")
        ledger.cancel("j")
        remove(ledger)
        assert ledger.settle("j", outcome=AttemptOutcome.NOT_SENT, to=State.READY) is State.FAILED
        assert str(ledger.see("j").reason).startswith("connection_removed: ")

    def test_late_news_that_it_was_too_fast_or_is_to_be_tried_later_ends_it_too(
        self, ledger: ClockedLedger
    ) -> None:
        for job in ("too fast", "later"):
            doubt(ledger, job)
        remove(ledger)
        pause = Pause(ledger.now + 60, named=True, allowed=3000)
        refused: dict[str, Any] = {
            "outcome": AttemptOutcome.REJECTED,
            "to": State.READY,
            "pause": pause,
        }
        assert ledger.settle("too fast", **refused) is State.FAILED

        later: dict[str, Any] = {
            "outcome": AttemptOutcome.NOT_SENT,
            "to": State.SCHEDULED,
            "at": ledger.now + 60,
        }
        assert ledger.settle("later", **later) is State.FAILED

    def test_a_rule_does_not_send_it_again_but_leaves_it_to_a_person(
        self, ledger: ClockedLedger
    ) -> None:
        doubt(ledger, "j", again=60)
        remove(ledger)
        ledger.now += 61
        ledger.reap()
        view = ledger.see("j")

        assert (view.state, view.held, view.possible_duplicate) == (State.UNCERTAIN, True, False)
        assert str(view.reason).startswith("connection_removed: ")
        assert ledger.redis.exists(redis_keys.LANE + "a") == 0
        assert ledger.settle("j", outcome=AttemptOutcome.NOT_SENT, to=State.READY) is State.FAILED

    def test_the_record_is_told(self, ledger: ClockedLedger) -> None:
        doubt(ledger, "j")
        remove(ledger)
        ledger.settle("j", outcome=AttemptOutcome.NOT_SENT, to=State.READY)
        entries: Any = ledger.redis.xrange(redis_keys.EVENTS)
        _, last = entries[-1]
        assert (last[b"type"], last[b"state"], last[b"held"]) == (b"settled", b"failed", b"0")
        assert last[b"reason"].startswith(b"connection_removed: ")
