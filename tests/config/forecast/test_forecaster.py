"""The forecaster on a real server under a supplied clock.

What is said of when reminders will leave, and when they then do.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId
from certmail_config.forecast.forecaster import Forecaster, Waiting
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import Lane, Pause
from support.machine.clocked_ledger import ClockedLedger

DAY = 86400.0


@pytest.fixture
def ledger(redis: Redis) -> ClockedLedger:
    return ClockedLedger(redis)


def fill(ledger: ClockedLedger, lane: str, count: int, **more: Any) -> None:
    given: dict[str, Any] = {"lane": lane, "expires_at": ledger.now + 30 * DAY} | more
    for n in range(count):
        ledger.enqueue(f"{lane}{n:04d}", **given)


def foretold(ledger: ClockedLedger, job: str, lane: str = "a", **more: Any) -> float | None:
    """In how many seconds it is said to leave."""
    given: dict[str, Any] = {"state": State.READY} | more
    waiting = Waiting(job, ConnectionId(lane), **given)
    [at] = Forecaster(ledger.redis, now=lambda: ledger.now).of([waiting])
    return None if at is None else at.timestamp() - ledger.now


def test_a_lane_leaves_at_the_pace_of_its_mailbox(ledger: ClockedLedger) -> None:
    fill(ledger, "a", 100)
    assert foretold(ledger, "a0000") == 0
    assert foretold(ledger, "a0099") == pytest.approx(99 * 60 / 58.8)
    assert ledger.leave(200, step=0.1)[-1][0] - (ledger.now - 200) == pytest.approx(
        99 * 60 / 58.8, rel=0.02
    )


def test_many_of_a_lane_are_answered_at_once_and_each_for_itself(ledger: ClockedLedger) -> None:
    fill(ledger, "a", 300)
    waiting = [Waiting(f"a{n:04d}", ConnectionId("a"), State.READY) for n in range(300)]
    found = Forecaster(ledger.redis, now=lambda: ledger.now).of(waiting)
    times = [at.timestamp() - ledger.now for at in found if isinstance(at, datetime)]
    assert times == pytest.approx([n * 60 / 58.8 for n in range(300)], abs=0.01)


def test_an_urgent_one_is_said_to_overtake(ledger: ClockedLedger) -> None:
    fill(ledger, "a", 100)
    ledger.enqueue("urgent", priority=0)
    assert foretold(ledger, "urgent") == 0
    assert foretold(ledger, "a0000") == pytest.approx(60 / 58.8)


def test_it_knows_of_the_day(ledger: ClockedLedger) -> None:
    ledger.lane("a", per_day=10)
    fill(ledger, "a", 30)
    ledger.leave(20, step=0.1)
    said = foretold(ledger, "a0019")
    assert said is not None
    assert said == pytest.approx(DAY, rel=0.05), "ten a day; ten have left"


def test_it_knows_of_a_pause(ledger: ClockedLedger) -> None:
    fill(ledger, "a", 10)
    ledger.fly("a0000")
    pause = Pause(ledger.now + 900, named=True)
    ledger.settle("a0000", outcome=AttemptOutcome.REJECTED, to=State.READY, pause=pause)
    assert foretold(ledger, "a0009") == pytest.approx(900 + 9 * 60 / 58.8)


def test_it_knows_of_a_lowered_pace_and_of_warming_up(ledger: ClockedLedger) -> None:
    ledger.redis.hset(
        redis_keys.PACE + "m-a:p", mapping={"share": "0.5", "lowered_at": round(ledger.now * 1000)}
    )
    fill(ledger, "a", 10)
    assert foretold(ledger, "a0009") == pytest.approx(9 * 60 / 29.4)
    ledger.lane("b", warm_up_days=3)
    fill(ledger, "b", 10)
    assert foretold(ledger, "b0009", "b") == pytest.approx(9 * 4 * 60 / 58.8)


def test_lanes_of_a_project_share_it(ledger: ClockedLedger) -> None:
    for n in range(10):
        ledger.lane(f"l{n}", project="q", project_units_per_minute=12_000)  # two a second
        fill(ledger, f"l{n}", 30 if n else 6)

    said = foretold(ledger, "l00005", "l0") or 0.0
    last = foretold(ledger, "l90029", "l9")
    left = ledger.leave(170, step=0.05)
    start = ledger.now - 170
    last_of_l0 = max(at for at, job in left if job.startswith("l0")) - start
    assert last_of_l0 < said < last_of_l0 + 5.2 + 2.5, (
        "a round, as its place is not known, and what a rested project makes up for"
    )
    assert last == pytest.approx(left[-1][0] - start, rel=0.05)
    assert len(left) == 276


def test_it_asks_about_a_large_project_in_pages(ledger: ClockedLedger) -> None:
    for n in range(1200):
        ledger.lane(f"l{n}", project="q", project_units_per_minute=12_000)
        for second in range(2):
            ledger.enqueue(f"j{n}-{second}", lane=f"l{n}")
    assert foretold(ledger, "j7-1", "l7") == pytest.approx(2400 / (2 * 0.98), rel=0.01)


def test_a_scheduled_one_waits_for_its_time_and_for_those_before_it(ledger: ClockedLedger) -> None:
    at = ledger.now + 100
    fill(ledger, "a", 10, state=State.SCHEDULED, send_at=at)
    scheduled: dict[str, Any] = {"state": State.SCHEDULED, "send_at": at}
    assert foretold(ledger, "a0000", **scheduled) == pytest.approx(100)
    assert foretold(ledger, "a0009", **scheduled) == pytest.approx(100 + 9 * 60 / 58.8)
    for n in range(200):
        ledger.enqueue(f"now{n}")
    assert foretold(ledger, "a0000", **scheduled) == pytest.approx(200 * 60 / 58.8)


@pytest.mark.parametrize("state", [State.ACCEPTED, State.UNCERTAIN, State.DISPATCHED])
def test_what_does_not_wait_has_no_time(ledger: ClockedLedger, state: State) -> None:
    fill(ledger, "a", 1)
    assert foretold(ledger, "a0000", state=state) is None


def test_nor_has_one_whose_lane_is_stopped_or_unknown(ledger: ClockedLedger) -> None:
    ledger.lane("b", opened=False)
    fill(ledger, "b", 1)
    assert foretold(ledger, "b0000", "b") is None
    assert foretold(ledger, "x", "nowhere") is None


def test_a_full_day_of_a_project_is_known(ledger: ClockedLedger) -> None:
    for n in range(4):
        ledger.lane(
            f"l{n}", project="q", project_units_per_minute=12_000, project_units_per_day=10_000
        )
        fill(ledger, f"l{n}", 50)
    said = foretold(ledger, "l30049", "l3")
    assert said is not None
    assert said == pytest.approx(DAY + 300 + 100 / 1.96, rel=0.01)


def test_what_was_known_of_a_projects_other_lanes_is_forgotten_once_it_is_old(
    ledger: ClockedLedger,
) -> None:
    for n in range(2):
        ledger.lane(f"l{n}", project="q", project_units_per_minute=6_000)
        fill(ledger, f"l{n}", 5)

    forecaster = Forecaster(ledger.redis, now=lambda: ledger.now)
    forecaster._rivals |= {("p", ConnectionId(f"old{n}")): (float(n), ()) for n in range(3)}
    for _ in range(2):
        forecaster.of([Waiting("l00004", ConnectionId("l0"), State.READY)])
        forecaster.of([Waiting("l10004", ConnectionId("l1"), State.READY)])
    assert [lane for _, lane in forecaster._rivals] == ["l0", "l1"]


def test_lane_values_have_the_same_defaults_as_connections() -> None:
    from certmail_config.tenants.models import GoogleLimits  # noqa: PLC0415 - only this compares the two

    lane, limits = Lane(ConnectionId("a"), "t", "m", 6000, 4, 1), GoogleLimits()
    for name in ("per_day", "project_units_per_minute", "project_units_per_day", "warm_up_days"):
        assert getattr(lane, name) == getattr(limits, name), name
