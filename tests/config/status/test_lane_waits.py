"""What a connection's reminders wait for that only time ends: why, and until when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import pytest

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import run, set_lane
from certmail_config.ledger.survey import LaneSurvey
from certmail_config.ledger.values import Lane, Pause
from certmail_config.status.lane_waits import Pauses, Wait, WaitScope, counted, waits, why_it_waits
from support.machine.clocked_ledger import ClockedLedger

NOW: Final = 1_795_737_600.0
NONE: Final = Pauses("m", 0, "", 0, "")


def lane(*, day: int = 0, per_day: int = 100, project_used: int = 0) -> LaneSurvey:
    return LaneSurvey(
        open=True,
        ready=7,
        per_second=1,
        not_before=0,
        sends_since=None,
        warm_up_days=0,
        per_day=per_day,
        day=((NOW + 300, day),) if day else (),
        project="p",
        project_lanes=1,
        project_per_second=1,
        project_not_before=0,
        project_per_day=1000,
        project_day_used=project_used,
        place=0,
        unfinished=7,
    )


@pytest.mark.parametrize(
    ("seen", "pauses", "scope", "until", "words"),
    [
        (
            lane(),
            Pauses("m", NOW + 60, "day_full: …", 0, ""),
            WaitScope.MAILBOX,
            NOW + 60,
            "day_full",
        ),
        (
            lane(),
            Pauses("m", 0, "", NOW + 900, "project_day_full: …"),
            WaitScope.PROJECT,
            NOW + 900,
            "project_day",
        ),
        (lane(), Pauses("m", NOW + 60, "a", NOW + 900, "b"), WaitScope.PROJECT, NOW + 900, "b"),
        (
            lane(day=100),
            NONE,
            WaitScope.MAILBOX,
            NOW + 300,
            "the 100 messages that it may in 24 hours",
        ),
        (lane(project_used=1000), NONE, WaitScope.PROJECT, None, "the 1,000 messages"),
    ],
)
def test_each_wait_says_what_waits_why_and_until_when(
    seen: LaneSurvey, pauses: Pauses, scope: WaitScope, until: float | None, words: str
) -> None:
    found = why_it_waits(seen, pauses, NOW)
    assert found is not None
    end = None if until is None else datetime.fromtimestamp(until, UTC)
    assert (found.scope, found.until, found.ready) == (scope, end, 7)
    assert words in found.sentence
    assert "7 of its reminders are ready" in found.sentence


@pytest.mark.parametrize(
    ("seen", "pauses"),
    [(lane(), NONE), (lane(day=99), NONE), (lane(), Pauses("m", NOW - 1, "over", NOW, "over"))],
)
def test_what_leaves_at_its_pace_waits_for_nothing(seen: LaneSurvey, pauses: Pauses) -> None:
    assert why_it_waits(seen, pauses, NOW) is None


def test_a_mailbox_that_several_connections_share_counts_once() -> None:
    one = Wait(WaitScope.MAILBOX, "m", "", None, 1)
    assert counted([one, one, Wait(WaitScope.MAILBOX, "n", "", None, 1)]) == {WaitScope.MAILBOX: 2}


def test_what_google_answered_is_read_from_the_ledger(ledger: ClockedLedger) -> None:
    ledger.lane("b")
    assert (
        waits(
            ledger.redis, [ConnectionId("a"), ConnectionId("b"), ConnectionId("nobody")], ledger.now
        )
        == {}
    )

    ledger.enqueue("j")
    ledger.fly("j")
    until = ledger.now + 900
    pause = Pause(until, named=False)
    ledger.settle("j", outcome=AttemptOutcome.REJECTED, to=State.READY, pause=pause)
    found = waits(ledger.redis, [ConnectionId("a"), ConnectionId("b")], ledger.now)
    assert list(found) == ["a"]
    assert (found[ConnectionId("a")].until, found[ConnectionId("a")].why) == (
        datetime.fromtimestamp(until, UTC),
        "was rejected",
    )
    ledger.now = until + 1
    assert waits(ledger.redis, [ConnectionId("a")], ledger.now) == {}


def test_a_pause_that_is_none_and_a_day_that_is_used_up(ledger: ClockedLedger) -> None:
    small = Lane(ConnectionId("a"), "acme", "m-a", 6000, 4, 1, project="p", per_day=1)
    run(ledger.redis, set_lane(small, code="", message=""))
    ledger.redis.hset(
        redis_keys.MAILBOX + "m-a", mapping={"cooling": "noon", "cool_reason": b"\xff"}
    )
    ledger.redis.hset(redis_keys.PROJECT + "p", mapping={"cooling": ""})
    assert waits(ledger.redis, [ConnectionId("a")], ledger.now) == {}

    ledger.enqueue("j")
    ledger.fly("j")
    ledger.redis.delete(redis_keys.MAILBOX + "m-a", redis_keys.PROJECT + "p")
    ledger.settle("j")
    found = waits(ledger.redis, [ConnectionId("a")], ledger.now)
    assert "the 1 messages that it may in 24 hours" in found[ConnectionId("a")].why
