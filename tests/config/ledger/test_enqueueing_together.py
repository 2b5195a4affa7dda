"""Several reminders by one call: each is answered as it would be alone, and none spoils another."""

from __future__ import annotations

from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId
from certmail_config.jobs.states import State
from certmail_config.ledger import Enqueued, run
from certmail_config.ledger.survey import survey_places
from support.contents.dump import HASHES, SETS, STRINGS, ZSETS, Dump
from support.machine.clocked_ledger import ClockedLedger


def told(answers: list[Enqueued | RedisError]) -> list[str]:
    """Each answer in a word."""
    return ["refused" if isinstance(each, RedisError) else each.code for each in answers]


def ahead(answer: Enqueued | RedisError) -> int | None:
    assert isinstance(answer, Enqueued)
    return answer.ahead


def events(ledger: ClockedLedger) -> list[str]:
    found: Any = ledger.redis.xrange(redis_keys.EVENTS)
    return [fields[b"job"].decode() for _, fields in found if fields[b"type"] == b"enqueued"]


def test_each_is_answered_for_itself_in_order(ledger: ClockedLedger) -> None:
    ledger.enqueue("before")
    answers = ledger.enqueue_together(
        {"job": "new"},
        {"job": "again", "dedupe": "before"},
        {"job": "other", "dedupe": "before", "fingerprint": "another"},
        {"job": "nowhere", "lane": "no-lane"},
        {"job": "done", "state": State.SUPPRESSED},
        {"job": "later", "state": State.SCHEDULED, "send_at": ledger.now + 60},
    )
    assert told(answers) == [
        "enqueued",
        "duplicate",
        "key_reused",
        "unknown_connection",
        "enqueued",
        "enqueued",
    ]
    assert events(ledger) == ["before", "done", "new", "later"], (
        "what ends at once is written first"
    )


def kept(redis: Redis) -> dict[str, Any]:
    """All that the server holds; its events by the jobs that they are of."""
    dump = Dump(redis, "0")
    found: dict[str, Any] = {
        name: read(name)
        for names, read in (
            (HASHES, dump.hashes),
            (SETS, dump.sets),
            (ZSETS, dump.scores),
            (STRINGS, dump.strings),
        )
        for name in names
    }
    return found | {
        "events": sorted(
            (fields for _, fields in dump.events), key=lambda fields: sorted(fields.items())
        )
    }


def test_what_comes_alone_is_answered_and_kept_as_among_others(engine: Redis) -> None:
    def begin() -> ClockedLedger:
        engine.flushall()
        ledger = ClockedLedger(engine)
        ledger.lane("b", opened=False)
        ledger.lane("c")
        ledger.enqueue("before")
        return ledger

    ledger = begin()
    given: list[dict[str, Any]] = [
        {"job": "new", "priority": 3},
        {"job": "again", "dedupe": "before"},
        {"job": "other", "dedupe": "before", "fingerprint": "another"},
        {"job": "nowhere", "lane": "no-lane"},
        {"job": "beside", "lane": "b"},
        {"job": "first", "lane": "c", "tenant": "beta", "body": b"\x00another"},
        {"job": "later", "state": State.SCHEDULED, "send_at": ledger.now + 60},
        {"job": "never", "state": State.SCHEDULED, "send_at": ledger.now + 1e6},
        {"job": "done", "state": State.SUPPRESSED, "reason": "nothing left to decide"},
    ]
    alone = [ledger.enqueue_together(each) for each in given]
    kept_alone = kept(engine)

    together = begin().enqueue_together(*given)
    assert alone == [[each] for each in together]
    assert kept_alone == kept(engine)


def counted(ledger: ClockedLedger) -> dict[str, int]:
    found: Any = ledger.redis.hgetall(redis_keys.TAKEN + "acme")
    return {"all" if name == b"all" else "today": int(count) for name, count in found.items()}


def test_one_that_its_lane_refuses_is_not_counted_on_a_day_that_forgets_others(
    ledger: ClockedLedger,
) -> None:
    ledger.enqueue("before")
    ledger.lane("b")
    ledger.redis.set(redis_keys.LANE + "b", "not what it should be")
    ledger.now += 92 * 86400

    [refusal] = ledger.enqueue_together({"job": "one", "lane": "b"})
    assert str(refusal).startswith("WRONGTYPE")
    assert counted(ledger) == {"all": 0, "today": 0}
    assert told(ledger.enqueue_together({"job": "two"})) == ["enqueued"]
    assert counted(ledger) == {"all": 1, "today": 1}


def test_called_again_it_gives_the_same_answers(ledger: ClockedLedger) -> None:
    given: list[dict[str, Any]] = [{"job": f"j{n}"} for n in range(3)]
    assert ledger.enqueue_together(*given) == ledger.enqueue_together(*given)
    assert len(events(ledger)) == 3


def test_the_same_twice_is_taken_in_once(ledger: ClockedLedger) -> None:
    first, second, third = ledger.enqueue_together(
        {"job": "one", "dedupe": "k"},
        {"job": "two", "dedupe": "k"},
        {"job": "three", "dedupe": "k", "fingerprint": "another"},
    )
    assert first == Enqueued("enqueued", "one", State.READY)  # type: ignore[arg-type]
    assert second == Enqueued("duplicate", "one", State.READY)  # type: ignore[arg-type]
    assert third == Enqueued("key_reused", "one", None)  # type: ignore[arg-type]
    assert (ahead(first), ahead(second)) == (0, 0)
    assert events(ledger) == ["one"]


def test_each_that_waits_is_told_how_many_leave_before_it(ledger: ClockedLedger) -> None:
    ledger.enqueue("before")
    soon, late = ledger.now + 60, ledger.now + 120
    answers = ledger.enqueue_together(
        {"job": "a"},
        {"job": "b"},
        {"job": "urgent", "priority": 0},
        {"job": "done", "state": State.SUPPRESSED},
        {"job": "late", "state": State.SCHEDULED, "send_at": late},
        {"job": "soon", "state": State.SCHEDULED, "send_at": soon},
    )
    assert [ahead(each) for each in answers] == [1, 2, 0, None, 1, 0]

    waits = [(State.READY, ConnectionId("a"), each) for each in ("a", "b", "urgent")]
    assert run(ledger.redis, survey_places(waits)) == [1, 2, 0]


def test_a_lane_that_somebody_made_something_else_takes_none_and_spoils_no_other(
    ledger: ClockedLedger,
) -> None:
    ledger.lane("b")
    ledger.redis.set(redis_keys.LANE + "b", "not what it should be")
    answers = ledger.enqueue_together(
        {"job": "one"},
        {"job": "two", "lane": "b"},
        {"job": "twin", "lane": "b", "dedupe": "two"},
        {"job": "three"},
    )

    assert told(answers) == ["enqueued", "refused", "refused", "enqueued"]
    assert events(ledger) == ["one", "three"]
    assert ledger.redis.zrange(redis_keys.DUE, 0, -1) == [b"one", b"three"]
    for key in (redis_keys.JOB + "two", redis_keys.BODY + "two", redis_keys.DEDUPE + "acme:two"):
        assert not ledger.redis.exists(key)

    ledger.redis.delete(redis_keys.LANE + "b")
    assert told(ledger.enqueue_together({"job": "two", "lane": "b"})) == ["enqueued"]


def test_a_tenant_whose_counter_is_broken_spoils_no_other(ledger: ClockedLedger) -> None:
    ledger.redis.set(redis_keys.TAKEN + "beta", "not what it should be")
    answers = ledger.enqueue_together({"job": "one", "tenant": "beta"}, {"job": "two"})
    assert told(answers) == ["refused", "enqueued"]
    assert events(ledger) == ["two"]


def test_a_tenant_has_its_share_whatever_comes_together(ledger: ClockedLedger) -> None:
    answers = ledger.enqueue_together(*({"job": f"j{n}"} for n in range(3)))
    assert told(answers) == ["enqueued"] * 3
    assert ledger.redis.hget(redis_keys.TAKEN + "acme", "all") == b"3"
