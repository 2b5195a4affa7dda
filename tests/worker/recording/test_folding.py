"""However events are cut into batches, the record is the same: the last word of each is kept."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, Final

import pytest
from sqlalchemy import Engine, delete, select

from certmail_config.sql import tables
from certmail_worker.recording.folding import Fold
from certmail_worker.recording.rows import Event, written
from certmail_worker.recording.writer import read_cursor, read_position, write, write_position
from support.data.events import NOW, at, begun, enqueued, happened, settled

RECORD: Final = (tables.attempts, tables.events, tables.deliveries)
Record = dict[str, list[tuple[Any, ...]]]


def recorded(engine: Engine, batches: Sequence[Sequence[Event]]) -> Record:
    """What an empty record holds after these batches; it is empty again then."""
    for batch in batches:
        write(engine, read_cursor(engine), batch)

    with engine.begin() as db:
        found = {
            table.name: sorted((tuple(row) for row in db.execute(select(table))), key=repr)
            for table in RECORD
        }
        for table in RECORD:
            db.execute(delete(table))
    was = read_position(engine)
    write_position(engine, was, type(was)())
    return found


def cut(events: Sequence[Event], rng: random.Random) -> list[Sequence[Event]]:
    """The same events in batches of any size."""
    places = sorted(rng.sample(range(1, len(events)), k=rng.randrange(1, len(events) - 1)))
    return [events[a:b] for a, b in zip([0, *places], [*places, len(events)], strict=True)]


def lives(rng: random.Random) -> list[Event]:
    """Some reminders' events among each other, what was told twice and what is odd among them."""
    numbers = count(1)
    lanes = [life(f"j{n}", rng) for n in range(6)]
    events: list[Event] = []
    while lanes:
        lane = rng.choice(lanes)
        try:
            event = next(lane)
        except StopIteration:
            lanes.remove(lane)
            continue
        n = next(numbers)
        events.append(event._replace(id=f"{n}-0", at=at(n)))
    return events


def life(job: str, rng: random.Random) -> Iterator[Event]:
    """One reminder's, of at most three requests; who writes with `_replace` numbers them."""
    known = rng.random() > 0.1
    if known:
        yield enqueued(0, job, rng.choice(("ready", "scheduled")))

    for attempt in range(1, rng.randrange(1, 5)):
        mailbox = rng.choice(("a@acme.example", "b@acme.example", None))
        for _ in range(rng.choice((1, 1, 1, 2))):
            made = begun(0, attempt, job)
            yield made._replace(mailbox=mailbox, key_id=rng.choice(("k1", "k2", None)))
        if known and rng.random() < 0.2:
            yield enqueued(0, job, to="again@people.example")
        for _ in range(rng.choice((0, 1, 1, 2))):
            yield an_end(job, attempt, rng)

    if rng.random() < 0.3:
        yield happened(0, "resent", "ready", "rule", job, possible_duplicate="1")
    if rng.random() < 0.3:
        yield happened(0, "cancelled", "cancelled", "cancelled: by ann", job)
    if rng.random() < 0.2:
        fields = {"job": job, "tenant": "acme", "attempt": "4", "state": "uncertain", "held": "1"}
        yield Event("", "restored", NOW, fields, mailbox="r@acme.example")
    if rng.random() < 0.3:
        yield settled(0, "accepted", "accepted", 1, job, reason="verified: it is there")


def an_end(job: str, attempt: int, rng: random.Random) -> Event:
    if rng.random() < 0.2:
        fields = {"job": job, "tenant": "acme", "attempt": str(attempt), "state": "uncertain"}
        return Event("", "reaped", NOW, fields | {"reason": "worker_lost: …"})

    detail: dict[str, Any] = {
        "ended_at": rng.choice((NOW.isoformat(), "2026-11-23T10:00:00.125+01:00")),
        "http_status": rng.choice((200, 503)),
        "gmail_id": f"g{attempt}",
        "latency_ms": rng.randrange(500),
        "key_id": "key of the worker",
    }
    told = {name: value for name, value in detail.items() if rng.random() < 0.6}
    state, outcome = rng.choice((("accepted", "accepted"), ("uncertain", "unknown")))
    return settled(0, state, outcome, attempt, job, reason=rng.choice(("", "why")), **told)


@pytest.mark.parametrize("seed", range(8))
def test_the_record_is_the_same_however_events_are_cut_into_batches(
    engine: Engine, seed: int
) -> None:
    rng = random.Random(seed)
    events = lives(rng)
    one_by_one = recorded(engine, [[event] for event in events])
    assert len(one_by_one["events"]) == len(events)
    assert recorded(engine, [events]) == one_by_one
    assert recorded(engine, cut(events, rng)) == one_by_one


def test_a_life_within_a_batch_is_one_delivery_and_one_attempt() -> None:
    """Each index of deliveries that holds the state is written once, and not three times."""
    fold = Fold([enqueued(1), begun(2), settled(3, "accepted", "accepted", gmail_id="g")])
    assert fold.to_look_up == {"j"}
    rows = fold.rows({})
    [delivery], [attempt] = rows.new, rows.attempts
    assert (delivery["state"], delivery["mailbox"]) == ("accepted", "reviews@acme.example")
    assert (attempt["outcome"], attempt["gmail_id"]) == ("accepted", "g")
    assert (rows.changed, rows.requested, rows.ends) == ([], [], [])


def test_what_is_only_enqueued_is_not_looked_up() -> None:
    assert Fold([enqueued(1), enqueued(2, "k")]).to_look_up == set()


def test_a_time_is_written_in_utc_and_not_without_a_zone() -> None:
    assert written(NOW) == "2026-11-23 09:00:00.000000"
    with pytest.raises(ValueError, match="zone"):
        written(NOW.replace(tzinfo=None))
