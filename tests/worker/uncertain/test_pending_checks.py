"""Doubts: when a mail of unknown outcome is looked for, and when its absence is believed."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId, JobId
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import run
from certmail_worker.uncertain.pending_checks import (
    CONFIRM_SECONDS,
    GIVE_UP_SECONDS,
    Unsure,
    absent,
    found,
    next_look,
    read_unsure,
)
from certmail_worker.uncertain.sent_folder import Sent
from support.machine.clocked_ledger import ClockedLedger

VERIFY = 120.0


def test_it_is_looked_for_soon_at_first_then_less_often_and_when_absence_begins_to_count() -> None:
    age, looks = 1.0, [1.0]
    while age <= VERIFY + 30:
        wait = next_look(age, VERIFY, failed=False)
        assert wait is not None
        age += wait
        looks.append(age)
    assert looks[1] == 3
    assert len([at for at in looks if at < VERIFY]) <= 7
    assert [at for at in looks if at >= VERIFY][:2] == [VERIFY, VERIFY + CONFIRM_SECONDS]


def test_where_looking_fails_it_is_given_up_in_the_end_and_not_before() -> None:
    assert next_look(VERIFY + GIVE_UP_SECONDS, VERIFY, failed=True) is not None
    assert next_look(VERIFY + GIVE_UP_SECONDS + 1, VERIFY, failed=True) is None
    assert next_look(VERIFY + GIVE_UP_SECONDS + 1, VERIFY, failed=False) is not None


@pytest.fixture
def ledger(redis: Redis) -> ClockedLedger:
    return ClockedLedger(redis)


def unsure(ledger: ClockedLedger, job: str = "j") -> Unsure | None:
    fields: Any = ledger.redis.hgetall(redis_keys.JOB + job)
    return read_unsure(JobId(job), fields)


def lose(ledger: ClockedLedger, attempt: int, at: float | None = None) -> None:
    ledger.settle("j", attempt, outcome=AttemptOutcome.UNKNOWN, to=State.UNCERTAIN, at=at)


def test_all_attempts_that_nobody_knows_of_are_in_doubt_since_the_last_of_them_ended(
    ledger: ClockedLedger,
) -> None:
    ledger.enqueue("j")
    first = ledger.now
    ledger.fly("j")
    lose(ledger, 1, at=ledger.now + 10)
    ledger.now += 20
    ledger.reap()
    ledger.fly("j")
    ledger.now += 46
    ledger.reap()

    assert unsure(ledger) == Unsure(
        JobId("j"), "acme", ConnectionId("a"), "m-a", (1, 2), first, ledger.now, looked=False
    )


def test_what_is_known_is_in_no_doubt(ledger: ClockedLedger) -> None:
    ledger.enqueue("j")
    assert unsure(ledger) is None
    ledger.fly("j")
    assert unsure(ledger) is None
    ledger.settle("j")
    assert unsure(ledger) is None
    assert unsure(ledger, "nobody") is None


def test_what_is_found_was_accepted(ledger: ClockedLedger) -> None:
    ledger.enqueue("j")
    ledger.fly("j")
    lose(ledger, 1)
    item = unsure(ledger)
    assert item is not None
    assert run(ledger.redis, found(item, Sent("m1", "t1", "j", ledger.now))) is State.ACCEPTED
    assert ledger.see("j").attempts[0].gmail_id == "m1"


def test_what_is_absent_is_sent_again_without_any_doubt(ledger: ClockedLedger) -> None:
    ledger.enqueue("j")
    ledger.fly("j")
    lose(ledger, 1, at=ledger.now + 10)
    ledger.now += 20
    ledger.reap()
    ledger.fly("j")
    lose(ledger, 2)
    item = unsure(ledger)
    assert item is not None
    assert [run(ledger.redis, call) for call in absent(item)] == [State.UNCERTAIN, State.READY]
    assert [attempt.outcome for attempt in ledger.see("j").attempts] == ["not_sent", "not_sent"]

    ledger.now += 5
    ledger.fly("j")
    assert ledger.settle("j", 3) is State.ACCEPTED


def test_what_was_called_off_meanwhile_ends_as_that(ledger: ClockedLedger) -> None:
    ledger.enqueue("j")
    ledger.fly("j")
    lose(ledger, 1)
    ledger.cancel("j")
    item = unsure(ledger)
    assert item is not None
    for call in absent(item):
        run(ledger.redis, call)
    assert ledger.state("j") is State.CANCELLED
