"""Resolving by hand: what a person says of doubts takes effect once, and on nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from redis import Redis
from sqlalchemy import insert, update

from certmail_config.admin.settling.manual_resolution import ManualDecision, Resolved, resolve
from certmail_config.base import redis_keys
from certmail_config.base.ids import JobId
from certmail_config.crypto.vault import Vault
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import run
from certmail_config.ledger.upkeep import KnownJob, restore
from certmail_config.sql import registry, tables
from certmail_config.sql.engine import open_database
from certmail_config.status.uncertain import uncertain_rows
from support.machine.clocked_ledger import ClockedLedger


@pytest.fixture
def ledger(redis: Redis) -> ClockedLedger:
    bench = ClockedLedger(redis)
    bench.enqueue("j")
    bench.fly("j")
    bench.settle("j", outcome=AttemptOutcome.UNKNOWN, to=State.UNCERTAIN)
    return bench


@pytest.mark.parametrize(
    ("decision", "state"),
    [
        (ManualDecision.ARRIVED, State.ACCEPTED),
        (ManualDecision.SEND_AGAIN, State.READY),
        (ManualDecision.CLOSE, State.UNCERTAIN),
    ],
)
def test_each_decision_takes_effect_on_record(
    ledger: ClockedLedger, decision: ManualDecision, state: State
) -> None:
    [resolved] = resolve(ledger.redis, ["j"], decision, "settled_by_hand: ann looked")
    assert resolved == Resolved("j", done=True, state=state)
    assert ledger.see("j").reason == "settled_by_hand: ann looked"
    assert ledger.events()[-1] in {"settled", "closed"}
    if state is not State.READY:
        assert ledger.redis.zscore(redis_keys.DUE, "j") is None


def test_what_is_sent_again_by_hand_is_no_possible_duplicate_and_leaves(
    ledger: ClockedLedger,
) -> None:
    resolve(ledger.redis, ["j"], ManualDecision.SEND_AGAIN, "by hand")
    ledger.now += 5
    ledger.fly("j")
    ledger.settle("j", 2)
    assert (ledger.state("j"), ledger.see("j").possible_duplicate) == (State.ACCEPTED, False)


def test_what_is_closed_may_still_turn_out_to_have_been_accepted(ledger: ClockedLedger) -> None:
    resolve(ledger.redis, ["j"], ManualDecision.CLOSE, "by hand")
    assert ledger.settle("j") is State.ACCEPTED


def test_a_closed_one_is_never_sent_again(ledger: ClockedLedger) -> None:
    resolve(ledger.redis, ["j"], ManualDecision.CLOSE, "by hand")
    ledger.settle("j", outcome=AttemptOutcome.NOT_SENT, to=State.READY)
    assert ledger.state("j") is State.EXPIRED


def test_what_is_not_uncertain_stays_as_it_is(ledger: ClockedLedger) -> None:
    ledger.enqueue("k")
    found = resolve(ledger.redis, ["k", "nobody"], ManualDecision.SEND_AGAIN, "by hand")
    assert found == [
        Resolved("k", done=False, state=State.READY),
        Resolved("nobody", done=False, state=None),
    ]
    assert ledger.state("k") is State.READY

    first = resolve(ledger.redis, ["j"], ManualDecision.ARRIVED, "by hand")
    again = resolve(ledger.redis, ["j"], ManualDecision.SEND_AGAIN, "by hand")
    assert (first[0].done, again[0].done) == (True, False)
    assert ledger.state("j") is State.ACCEPTED


def restored(ledger: ClockedLedger, job: str, known: KnownJob | None = None) -> None:
    """A job that could have left since the copy from which Redis was restored.

    It waits in that copy, or the copy lacks it.
    """
    run_id = str(ledger.redis.info("server")["run_id"])
    ledger.redis.delete(redis_keys.CHECKED_RUN)
    call = restore(
        JobId(job),
        to=State.UNCERTAIN,
        reason="restored",
        known=known,
        could_have_left=ledger.now,
        clock=ledger.now,
    )

    run(ledger.redis, call)
    ledger.redis.set(redis_keys.CHECKED_RUN, run_id)


class TestAfterARestore:
    """No request of it is known, since Redis has forgotten it.

    What is said of it counts all the same.
    """

    @pytest.mark.parametrize(
        ("decision", "state"),
        [
            (ManualDecision.ARRIVED, State.ACCEPTED),
            (ManualDecision.SEND_AGAIN, State.READY),
            (ManualDecision.CLOSE, State.UNCERTAIN),
        ],
    )
    def test_each_decision_takes_effect(
        self, ledger: ClockedLedger, decision: ManualDecision, state: State
    ) -> None:
        ledger.enqueue("k")
        restored(ledger, "k")
        assert resolve(ledger.redis, ["k"], decision, "by hand") == [
            Resolved("k", done=True, state=state)
        ]
        assert ledger.state("k") is state

    def test_what_is_sent_again_leaves(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("k")
        restored(ledger, "k")
        resolve(ledger.redis, ["k"], ManualDecision.SEND_AGAIN, "by hand")
        ledger.now += 5
        ledger.fly("k")
        assert ledger.settle("k", 2) is State.ACCEPTED

    def test_what_lost_its_content_cannot_be_sent_again_but_be_enqueued_anew(
        self, ledger: ClockedLedger
    ) -> None:
        times = {"enqueued_at": ledger.now, "expires_at": ledger.now + 9, "keep_seconds": 9.0}
        restored(
            ledger,
            "gone",
            KnownJob("acme", "a", "reminder", "q4", dedupe="acme:g", fingerprint="f", **times),
        )
        [found] = resolve(ledger.redis, ["gone"], ManualDecision.SEND_AGAIN, "by hand")

        assert found == Resolved("gone", done=True, state=State.FAILED)
        assert ledger.enqueue("anew", dedupe="g").code == "enqueued"


def test_nothing_is_called_settled_that_was_not(ledger: ClockedLedger) -> None:
    """As an older repair has left them: uncertain, and of no request that could be told about."""
    ledger.redis.hdel(redis_keys.JOB + "j", "outcome:1", "begun:1")
    ledger.redis.hset(redis_keys.JOB + "j", "attempt", "0")
    for decision in (ManualDecision.SEND_AGAIN, ManualDecision.ARRIVED):
        found = resolve(ledger.redis, ["j"], decision, "by hand")
        assert found == [Resolved("j", done=False, state=State.UNCERTAIN)]


def test_of_a_request_that_nobody_saw_begin_the_mailbox_is_the_connections(
    ready_database: str,
) -> None:
    at = datetime(2026, 11, 23, 12, tzinfo=UTC)
    engine = open_database(ready_database)
    with engine.begin() as db:
        _, made = registry.add_tenant(db, Vault([("k1", bytes(32))]), "acme", at)
        db.execute(update(tables.connections).values(mailbox="reviews@acme.example"))
        shared = {"tenant": "acme", "kind": "reminder", "state": State.UNCERTAIN, "held": True}
        shared |= {
            "possible_duplicate": False,
            "enqueued_at": at,
            "expires_at": at,
            "updated_at": at,
        }
        rows = [
            shared | {"job": "a", "connection": made.id, "mailbox": None},
            shared | {"job": "b", "connection": made.id, "mailbox": "older@acme.example"},
            shared | {"job": "c", "connection": "gone", "mailbox": None},
        ]
        db.execute(insert(tables.deliveries), rows)
        found = uncertain_rows(db, tenant="acme", campaign=None)

    engine.dispose()
    assert [(row["job"], row["mailbox"]) for row in found] == [
        ("a", "reviews@acme.example"),
        ("b", "older@acme.example"),
        ("c", None),
    ]
