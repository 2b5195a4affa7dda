"""Resolving by hand: what a person says of doubts takes effect once, and on nothing else."""

from __future__ import annotations

import pytest
from redis import Redis

from certmail_config import keys
from certmail_config.states import AttemptOutcome, State
from certmail_worker.resolve import Decision, Resolved, resolve
from support.bench import Bench


@pytest.fixture
def ledger(redis: Redis) -> Bench:
    bench = Bench(redis)
    bench.enqueue("j")
    bench.fly("j")
    bench.settle("j", outcome=AttemptOutcome.UNKNOWN, to=State.UNCERTAIN)
    return bench


@pytest.mark.parametrize(
    ("decision", "state"),
    [
        (Decision.ARRIVED, State.ACCEPTED),
        (Decision.SEND_AGAIN, State.READY),
        (Decision.CLOSE, State.UNCERTAIN),
    ],
)
def test_each_decision_takes_effect_on_record(ledger: Bench, decision: Decision, state: State) -> None:
    [resolved] = resolve(ledger.redis, ["j"], decision, "settled_by_hand: ann looked")
    assert resolved == Resolved("j", done=True, state=state)
    assert ledger.see("j").reason == "settled_by_hand: ann looked"
    assert ledger.events()[-1] in {"settled", "closed"}
    if state is not State.READY:
        assert ledger.redis.zscore(keys.DUE, "j") is None


def test_what_is_sent_again_by_hand_is_no_possible_duplicate_and_leaves(ledger: Bench) -> None:
    resolve(ledger.redis, ["j"], Decision.SEND_AGAIN, "by hand")
    ledger.now += 5
    ledger.fly("j")
    ledger.settle("j", 2)
    assert (ledger.state("j"), ledger.see("j").possible_duplicate) == (State.ACCEPTED, False)


def test_what_is_closed_may_still_turn_out_to_have_been_accepted(ledger: Bench) -> None:
    resolve(ledger.redis, ["j"], Decision.CLOSE, "by hand")
    assert ledger.settle("j") is State.ACCEPTED


def test_a_closed_one_is_never_sent_again(ledger: Bench) -> None:
    resolve(ledger.redis, ["j"], Decision.CLOSE, "by hand")
    ledger.settle("j", outcome=AttemptOutcome.NOT_SENT, to=State.READY)
    assert ledger.state("j") is State.EXPIRED


def test_what_is_not_uncertain_stays_as_it_is(ledger: Bench) -> None:
    ledger.enqueue("k")
    found = resolve(ledger.redis, ["k", "nobody"], Decision.SEND_AGAIN, "by hand")
    assert found == [Resolved("k", done=False, state=State.READY), Resolved("nobody", done=False, state=None)]
    assert ledger.state("k") is State.READY
    first = resolve(ledger.redis, ["j"], Decision.ARRIVED, "by hand")
    again = resolve(ledger.redis, ["j"], Decision.SEND_AGAIN, "by hand")
    assert (first[0].done, again[0].done) == (True, False)
    assert ledger.state("j") is State.ACCEPTED
