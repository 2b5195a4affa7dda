"""What stands still, decided from notes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.ledger import note, run
from certmail_config.status import stalls
from certmail_config.status.stalls import NOBODY, SERVICES, Note, Seen, Standstill, standstills
from support.machine.clocked_ledger import ClockedLedger

NOW: Final = 1_795_737_600.0
WELL: Final = Seen(
    now=NOW,
    notes=tuple(Note(service, NOW - 1, NOW + 59) for service in SERVICES),
    behind=True,
    workers=2,
    capacity=200,
)


def with_note(changed: Note) -> Seen:
    return replace(
        WELL, notes=tuple(changed if n.service == changed.service else n for n in WELL.notes)
    )


def test_where_all_get_on_nothing_stands_still() -> None:
    assert standstills(WELL) == []


@pytest.mark.parametrize("service", SERVICES)
def test_each_of_them_is_named_with_since_when_what_that_means_and_what_to_do(service: str) -> None:
    [found] = standstills(with_note(Note(service, NOW - 300, NOW - 1)))
    assert (found.service, found.since) == (service, datetime.fromtimestamp(NOW - 300, UTC))
    assert (
        found.message
        == f"The {service} has not got on since {found.since.isoformat()}: {SERVICES[service]}."
    )
    assert found.remedy


def test_what_its_last_try_failed_with_is_said() -> None:
    [found] = standstills(with_note(Note("caretaker", NOW - 300, NOW - 1, "OperationalError")))
    assert found.message.endswith("It fails with OperationalError")
    assert "service_failed" in found.remedy


def test_a_recorder_that_has_nothing_to_record_stands_in_nobodys_way() -> None:
    late = with_note(Note("recorder", NOW - 300, NOW - 1))
    assert [each.service for each in standstills(late)] == ["recorder"]
    assert standstills(replace(late, behind=False)) == []


def test_without_a_worker_nothing_is_expected() -> None:
    assert standstills(replace(with_note(Note("pacer", 0, 0)), workers=0)) == []


def test_who_is_not_the_keeper_waits_longer_before_it_speaks() -> None:
    seen = with_note(Note("pacer", NOW - 90, NOW - 30))
    assert standstills(seen, late=60) == []
    assert len(standstills(seen)) == 1


def test_doorbells_that_nobody_answers_although_workers_have_room() -> None:
    rung = replace(WELL, ringing=4, rung_at=NOW - 61)
    [found] = standstills(rung)
    assert found.service == NOBODY
    assert "room for 200 deliveries" in found.message
    assert standstills(replace(rung, rung_at=NOW - 59)) == []
    assert standstills(replace(rung, ringing=0)) == [], "they were called off meanwhile"


@pytest.mark.parametrize(
    ("ahead", "words"), [(1200, "20 minutes ahead of"), (-300, "5 minutes behind")]
)
def test_a_clock_that_is_off_is_named_with_its_worker(ahead: int, words: str) -> None:
    [found] = standstills(replace(WELL, skews=(("host:1:abc", ahead),)))
    assert found.service == "clock"
    assert f"The clock of the worker host:1:abc is {words} Google's" in found.message


class TestOnTheServer:
    def look(self, redis: Redis, now: float) -> tuple[Seen, list[Standstill]]:
        with redis.pipeline(transaction=False) as pipe:
            stalls.ask(pipe)
            seen = replace(stalls.read(pipe.execute()), now=now)
        return seen, standstills(seen)

    def test_notes_are_read_as_they_were_written(self, ledger: ClockedLedger) -> None:
        run(ledger.redis, note("pacer", within=60, clock=ledger.now))
        ledger.redis.hset(redis_keys.PROGRESS, "reaper:why", "KeyError")
        run(ledger.redis, note("reaper", within=3600, clock=ledger.now))
        seen, _ = self.look(ledger.redis, ledger.now)
        assert seen.notes == (
            Note("pacer", ledger.now, ledger.now + 60),
            Note("reaper", ledger.now, ledger.now + 3600),
        )
        assert (seen.workers, seen.capacity) == (1, 100)

    @pytest.mark.parametrize("written", ["9" * 5000, "-1", "\xb2", "many", ""])
    def test_room_that_no_worker_has_written_is_none(
        self, ledger: ClockedLedger, written: str
    ) -> None:
        ledger.redis.zadd(redis_keys.WORKERS, {"w": 4_000_000_000_000})
        ledger.redis.hset(redis_keys.CAPACITY, "w", written)
        seen, _ = self.look(ledger.redis, ledger.now)
        assert (seen.workers, seen.capacity) == (1, 0)

    def test_events_wait_until_the_newest_is_recorded(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("j")
        assert self.look(ledger.redis, ledger.now)[0].behind
        entries: Any = ledger.redis.xrevrange(redis_keys.EVENTS, count=1)
        [(newest, _)] = entries
        ledger.redis.set(redis_keys.RECORDED, newest)
        assert not self.look(ledger.redis, ledger.now)[0].behind

    def test_a_doorbell_is_rung_since_the_first_that_nobody_has_answered(
        self, ledger: ClockedLedger
    ) -> None:
        ledger.enqueue("j")
        begun = ledger.now

        for _ in range(20):  # as often as its lease ends
            ledger.dispatch()
            ledger.now += 5
            ledger.reap()

        ledger.dispatch()
        seen, found = self.look(ledger.redis, ledger.now)
        assert (seen.rung_at, seen.ringing) == (begun, 1)
        assert [each.service for each in found] == [NOBODY]
        ledger.claim("j")
        seen, found = self.look(ledger.redis, ledger.now)
        assert (seen.rung_at, found) == (None, [])
