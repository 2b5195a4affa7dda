"""What a campaign's mail takes in Redis, from its enqueueing to where it is forgotten.

A hundred thousand reviewers have one at a time: its hash stays one that Redis packs tightly.
"""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from certmail_config.base import redis_keys
from certmail_config.base.ids import JobId
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import Settlement, forget, run, settle
from certmail_config.ledger.unwanted.references import References
from certmail_config.ledger.view import read_job
from support.machine.clocked_ledger import ClockedLedger

DETAIL: Final = {
    "outcome": "accepted",
    "ended_at": "2099-11-25T10:00:00.150+00:00",
    "http_status": 200,
    "gmail_id": "1923b5e7c4a7b539",
    "gmail_thread_id": "1923b5e7c4a7b539",
    "latency_ms": 150,
    "key_id": "0123456789abcdef0123456789abcdef01234567",
}
DAY: Final = 86_400.0


@pytest.fixture
def wants() -> str:
    return References(b"salt").wants([("2026-q4", "r7")], 4_000_050_000)


def accept(ledger: ClockedLedger, job: str, detail: str) -> None:
    ledger.fly(job)
    then = Settlement(AttemptOutcome.ACCEPTED, State.ACCEPTED, "")
    run(ledger.redis, settle(JobId(job), 1, then, detail=detail, clock=ledger.now))


def fields(ledger: ClockedLedger, job: str = "j") -> dict[bytes, bytes]:
    found: Any = ledger.redis.hgetall(redis_keys.JOB + job)
    return dict(found)


def packed(ledger: ClockedLedger, job: str = "j") -> bool:
    encoding: Any = ledger.redis.object("encoding", redis_keys.JOB + job)
    return encoding in {b"listpack", b"ziplist"}


def test_from_its_beginning_to_its_end_it_is_packed(ledger: ClockedLedger, wants: str) -> None:
    ledger.enqueue("j", wants=wants)
    assert packed(ledger)
    accept(ledger, "j", json.dumps(DETAIL))
    assert packed(ledger)


def test_of_the_answer_it_keeps_what_gmail_calls_it_and_the_event_has_all(
    ledger: ClockedLedger, wants: str
) -> None:
    ledger.enqueue("j", wants=wants)
    accept(ledger, "j", json.dumps(DETAIL))
    view = read_job("j", fields(ledger), {})
    assert view is not None
    [attempt] = view.attempts
    assert (attempt.gmail_id, attempt.http_status) == (DETAIL["gmail_id"], 200)

    newest: Any = ledger.redis.xrevrange(redis_keys.EVENTS, count=1)
    [(_, event)] = newest
    assert json.loads(event[b"detail"]) == DETAIL


def test_what_an_application_sent_keeps_all_of_it(ledger: ClockedLedger) -> None:
    ledger.enqueue("j")
    accept(ledger, "j", json.dumps(DETAIL))
    assert json.loads(fields(ledger)[b"attempt:1"]) == DETAIL


@pytest.mark.parametrize("detail", ["", "no JSON", "[]", '"x"', "null", '{"gmail_id": {}}'])
def test_a_detail_in_another_form_is_left_out(
    ledger: ClockedLedger, wants: str, detail: str
) -> None:
    ledger.enqueue("j", wants=wants)
    accept(ledger, "j", detail)
    assert fields(ledger)[b"attempt:1"] == b"{}"


def test_once_it_is_on_record_less_of_it_is_kept_for_less_long(
    ledger: ClockedLedger, wants: str
) -> None:
    ledger.enqueue("j", wants=wants)
    accept(ledger, "j", json.dumps(DETAIL))
    before = fields(ledger)
    assert run(ledger.redis, forget([JobId("j"), JobId("nobody's")], DAY)) == 1
    after = fields(ledger)

    assert sum(map(len, after)) < sum(map(len, before))
    assert (after[b"state"], after[b"outcome:1"]) == (b"accepted", b"accepted")
    for key in (redis_keys.JOB + "j", redis_keys.DEDUPE + "acme:j"):
        assert 0 < ledger.redis.pttl(key) <= DAY * 1000
    view = read_job("j", after, {})
    assert view is not None
    assert len(view.attempts) == 1


def test_the_same_again_is_a_duplicate_until_then(ledger: ClockedLedger, wants: str) -> None:
    ledger.enqueue("j", wants=wants)
    accept(ledger, "j", "{}")
    run(ledger.redis, forget([JobId("j")], DAY))
    again = ledger.enqueue("k", dedupe="j", wants=wants)
    assert (again.code, again.id, again.state) == ("duplicate", "j", State.ACCEPTED)


def test_late_news_of_it_still_finds_it(ledger: ClockedLedger, wants: str) -> None:
    ledger.enqueue("j", wants=wants)
    accept(ledger, "j", "{}")
    run(ledger.redis, forget([JobId("j")], DAY))
    assert ledger.settle("j", 1) is State.ACCEPTED


@pytest.mark.parametrize("state", [State.READY, State.SCHEDULED])
def test_what_waits_is_not_forgotten(ledger: ClockedLedger, wants: str, state: State) -> None:
    send_at = ledger.now + 60 if state is State.SCHEDULED else None
    ledger.enqueue("j", wants=wants, state=state, send_at=send_at)
    assert run(ledger.redis, forget([JobId("j")], DAY)) == 0
    assert ledger.redis.pttl(redis_keys.JOB + "j") == -1


def test_nor_what_is_under_way_or_of_which_nobody_knows(ledger: ClockedLedger, wants: str) -> None:
    ledger.enqueue("j", wants=wants)
    ledger.fly("j")
    assert run(ledger.redis, forget([JobId("j")], DAY)) == 0
    ledger.settle("j", 1, AttemptOutcome.UNKNOWN, State.UNCERTAIN)
    assert run(ledger.redis, forget([JobId("j")], DAY)) == 0
    assert ledger.redis.pttl(redis_keys.JOB + "j") == -1
