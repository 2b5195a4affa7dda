"""Calls that are sent before earlier ones are answered: in order, and none is lost on the way."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from redis import BlockingConnectionPool, Redis

from certmail_config.base import redis_keys
from certmail_config.base.ids import JobId
from certmail_config.jobs.states import State
from certmail_config.ledger import Call, Enqueued, enqueue
from certmail_config.ledger.overlapping import Overlapping
from certmail_config.ledger.script import load
from support.machine.clocked_ledger import ClockedLedger


def job(name: str, **more: Any) -> Call[Enqueued]:
    given: dict[str, Any] = {
        "id": JobId(name), "tenant": "acme", "connection": "a", "dedupe": f"acme:{name}",
        "fingerprint": "f", "state": State.READY, "reason": "", "send_at": None,
        "expires_at": 4e9, "priority": 5, "kind": "reminder", "campaign": "q4",
        "keep_seconds": 90 * 86400, "body": b"sealed",
    }  # fmt: skip
    return enqueue(**(given | more))


def codes(received: tuple[list[Any], bool]) -> list[str]:
    answers, durable = received
    assert durable
    return [f"{each.code} {each.id}" for each in answers]


def test_each_is_answered_in_the_order_in_which_it_was_sent(ledger: ClockedLedger) -> None:
    with Overlapping(ledger.redis, replicas=0) as calls:
        calls.send([job("one"), job("two")])
        calls.send([job("three", dedupe="acme:one")])
        assert codes(calls.receive()) == ["enqueued one", "enqueued two"]
        calls.send([job("four")])
        assert codes(calls.receive()) == ["duplicate one"]
        assert codes(calls.receive()) == ["enqueued four"]


def test_what_a_lost_connection_did_not_answer_is_called_again(ledger: ClockedLedger) -> None:
    with Overlapping(ledger.redis, replicas=0) as calls:
        calls.send([job("one")])
        calls.send([job("two")])
        ledger.redis.client_kill_filter(_type="normal", skipme=True)
        assert codes(calls.receive()) == ["enqueued one"]
        assert codes(calls.receive()) == ["enqueued two"]
        calls.send([job("three")])
        assert codes(calls.receive()) == ["enqueued three"]

    assert ledger.redis.zcard(redis_keys.DUE) == 3


def test_a_server_that_forgot_the_script_is_given_it_again(ledger: ClockedLedger) -> None:
    with Overlapping(ledger.redis, replicas=0) as calls:
        ledger.redis.script_flush()
        calls.send([job("one")])
        calls.send([job("two")])
        assert codes(calls.receive()) == ["enqueued one"]
        assert codes(calls.receive()) == ["enqueued two"]


def test_a_refusal_stands_in_the_place_of_its_answer(ledger: ClockedLedger) -> None:
    wrong: Call[Any] = Call(load("survey_places"), ("ready", "b", "x"), list)
    ledger.redis.set(redis_keys.LANE + "b", "not what it should be")
    with Overlapping(ledger.redis, replicas=0) as calls:
        calls.send([job("one"), wrong, job("two")])
        [one, refused, two], _ = calls.receive()
    assert (one.id, two.id) == ("one", "two")
    assert "WRONGTYPE" in str(refused)


def test_nobody_is_given_answers_that_were_left_behind(ledger: ClockedLedger) -> None:
    with Overlapping(ledger.redis, replicas=0) as calls:
        calls.send([job("one")])
        calls.send([job("two")])
        calls.receive()
    assert ledger.redis.ping()

    assert ledger.redis.get(redis_keys.DEDUPE + "acme:one") == b"one|f"


def test_a_pool_of_one_connection_is_left_to_the_others(ledger: ClockedLedger) -> None:
    kwargs = ledger.redis.connection_pool.connection_kwargs
    of_one = BlockingConnectionPool(  # type: ignore[no-untyped-call]
        connection_class=ledger.redis.connection_pool.connection_class,
        max_connections=1, timeout=5, **kwargs,
    )  # fmt: skip
    with closing(Redis(connection_pool=of_one)) as redis, Overlapping(redis, replicas=0) as calls:
        calls.send([job("one")])
        assert redis.ping()
        assert codes(calls.receive()) == ["enqueued one"]
