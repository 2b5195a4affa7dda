"""Reading the record, on SQLite and on PostgreSQL.

Pages by what is asked for, and a delivery's whole story.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert

from certmail_config.base.errors import WrongUse
from certmail_config.jobs.states import State
from certmail_config.sql import tables
from certmail_config.sql.deliveries import Cursor, Filter, read_page
from certmail_config.sql.delivery_story import read_story
from certmail_config.sql.engine import open_database
from certmail_config.sql.record.merged import read_all

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def delivery(n: int, **more: Any) -> dict[str, Any]:
    """The n-th; two are enqueued in each minute."""
    enqueued_at = NOON + timedelta(minutes=n // 2)
    made = {
        "job": f"j{n:03}",
        "tenant": ("acme", "globex")[n % 2],
        "connection": "c",
        "kind": "reminder",
        "campaign": ("q3", "q4", None)[n % 3],
        "recipient": f"ann{n % 5}@people.example",
        "state": ("accepted", "failed")[n % 4 == 0],
        "held": False,
        "possible_duplicate": False,
        "enqueued_at": enqueued_at,
        "expires_at": NOON + timedelta(days=14),
        "updated_at": enqueued_at,
    }

    return made | more


ALL = [delivery(n) for n in range(60)]


@pytest.fixture
def engine(ready_database: str) -> Iterator[Engine]:
    engine = open_database(ready_database)
    with engine.begin() as db:
        db.execute(insert(tables.deliveries), ALL)
    yield engine
    engine.dispose()


def expected(**wanted: Any) -> list[str]:
    rows = [row["job"] for row in ALL if all(row[name] == value for name, value in wanted.items())]
    return list(reversed(rows))


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"tenant": "acme"},
        {"campaign": "q4"},
        {"recipient": "ann3@people.example"},
        {"state": "failed"},
        {"tenant": "acme", "campaign": "q3"},
        {"tenant": "acme", "state": "failed"},
        {"tenant": "acme", "campaign": "q3", "state": "failed"},
        {"campaign": "q3", "state": "failed"},
        {"tenant": "acme", "recipient": "ann2@people.example"},
        {"tenant": "nobody"},
    ],
    ids=lambda wanted: " ".join(wanted) or "all",
)
def test_what_is_asked_for_is_found_and_nothing_else_the_newest_first(
    engine: Engine, wanted: dict[str, Any]
) -> None:
    given: dict[str, Any] = {
        name: State(value) if name == "state" else value for name, value in wanted.items()
    }
    assert [row["job"] for row in read_all(engine, [Filter(**given)])] == expected(**wanted)
    assert [row["job"] for row in read_all(engine, [Filter(**given)], page=2)] == expected(**wanted)


def test_a_recipient_is_found_however_the_address_is_written(engine: Engine) -> None:
    found = read_all(engine, [Filter(recipient=" Ann3@People.EXAMPLE")])
    assert [row["job"] for row in found] == expected(recipient="ann3@people.example")


def test_times_are_from_and_up_to(engine: Engine) -> None:
    wanted = Filter(since=NOON + timedelta(minutes=10), until=NOON + timedelta(minutes=12))
    for page in (1, 1000):
        assert [row["job"] for row in read_all(engine, [wanted], page=page)] == [
            "j023",
            "j022",
            "j021",
            "j020",
        ]
        theirs = read_all(engine, [replace(wanted, tenant="acme")], page=page)
        assert [row["job"] for row in theirs] == ["j022", "j020"]


@pytest.mark.parametrize("size", [1, 7, 60, 1000])
def test_pages_follow_one_another_without_gap_or_repetition(engine: Engine, size: int) -> None:
    assert [row["job"] for row in read_all(engine, [Filter()], page=size)] == expected()


def test_what_comes_in_between_two_pages_changes_neither(engine: Engine) -> None:
    with engine.begin() as db:
        first = read_page(db, Filter(), limit=10)
        db.execute(insert(tables.deliveries), [delivery(100)])
        second = read_page(db, Filter(), after=first.next, limit=10)
    assert [row["job"] for row in first.rows + second.rows] == expected()[:20]


def test_the_last_page_says_that_it_is_the_last(engine: Engine) -> None:
    with engine.connect() as db:
        page = read_page(db, Filter(campaign="q4"), limit=20)
    assert (len(page.rows), page.next) == (20, None)


def test_a_cursor_is_what_it_was_after_it_was_written_and_read() -> None:
    cursor = Cursor(NOON + timedelta(microseconds=7), "01936b5e-7a00-7000-8000-000000000001")
    assert Cursor.parse(str(cursor)) == cursor


@pytest.mark.parametrize("text", ["", "x", "!!!!", "bm9uc2Vuc2U", "MjAyNi0xMS0yMyBq"])
def test_anything_else_is_no_cursor(text: str) -> None:
    with pytest.raises(WrongUse) as raised:
        Cursor.parse(text)
    assert raised.value.code == "invalid_cursor"


class TestStory:
    def test_all_that_happened_is_told_in_order_and_hashes_are_left_out(
        self, engine: Engine
    ) -> None:
        events: list[tuple[str, dict[str, str]]] = [
            ("enqueued", {"state": "ready", "dedupe": "acme:hash", "reason": ""}),
            ("begun", {"state": "sending", "attempt": "1", "worker": "w"}),
            (
                "settled",
                {"state": "accepted", "attempt": "1", "outcome": "accepted", "detail": "{}"},
            ),
        ]
        rows = [
            {
                "stream_ms": 1,
                "stream_n": n,
                "type": kind,
                "at": NOON,
                "job": "j001",
                "data": json.dumps(data),
            }
            for n, (kind, data) in enumerate(events)
        ]

        with engine.begin() as db:
            db.execute(insert(tables.events), list(reversed(rows)))
            attempts = [{"job": "j001", "n": n, "begun_at": NOON, "latency_ms": n} for n in (2, 1)]
            db.execute(insert(tables.attempts), attempts)
            story = read_story(db, "j001")

        assert story is not None
        assert (story.delivery["recipient"], story.delivery["connection"]) == (
            "ann1@people.example",
            "c",
        )
        assert [attempt["latency_ms"] for attempt in story.attempts] == [1, 2]
        assert list(story.events) == [
            {"at": NOON, "type": "enqueued", "state": "ready"},
            {"at": NOON, "type": "begun", "state": "sending", "attempt": "1", "worker": "w"},
            {
                "at": NOON,
                "type": "settled",
                "state": "accepted",
                "attempt": "1",
                "outcome": "accepted",
            },
        ]

    def test_of_what_is_not_on_record_there_is_none(self, engine: Engine) -> None:
        with engine.connect() as db:
            assert read_story(db, "nothing") is None
