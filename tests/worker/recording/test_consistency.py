"""Whether a ledger and a record belong together.

For every way in which one of them can be lost or put back.
"""

from __future__ import annotations

import pytest
from redis import Redis
from sqlalchemy import Engine, event

from certmail_config.base import redis_keys
from certmail_config.sql.engine import open_database
from certmail_worker.recording.consistency import (
    LINEAGE_ERRORS,
    Lineage,
    Traces,
    assess,
    order,
    read_traces,
)
from certmail_worker.recording.writer import (
    START,
    RecordPosition,
    read_cursor,
    read_position,
    write_position,
)

OURS, OTHER = "0192-ours", "0192-other"
OLDER, LAST, NEWER = "1700000000000-9", "1700000000000-10", "1700000000001-0"


def traces(
    cursor: str,
    sql_epoch: str | None,
    redis_epoch: str | None,
    recorded: str | None,
    *,
    has_cursor: bool,
    went_back: bool = False,
) -> Traces:
    return Traces(RecordPosition(cursor, sql_epoch), redis_epoch, recorded, has_cursor, went_back)


@pytest.mark.parametrize(
    ("found", "lineage"),
    [
        pytest.param(
            traces(START, None, None, None, has_cursor=False), Lineage.NEW, id="both empty"
        ),
        pytest.param(
            traces(START, OURS, None, None, has_cursor=False),
            Lineage.NEW,
            id="named in SQL when it stopped, and nothing recorded yet",
        ),
        pytest.param(
            traces(START, OURS, OURS, None, has_cursor=False),
            Lineage.NEW,
            id="nothing happened yet",
        ),
        pytest.param(
            traces(LAST, OURS, OURS, LAST, has_cursor=True), Lineage.SAME, id="as it was left"
        ),
        pytest.param(
            traces(LAST, OURS, OURS, OLDER, has_cursor=True),
            Lineage.SAME,
            id="stopped between the record and the note of it",
        ),
        pytest.param(
            traces(LAST, OURS, OURS, None, has_cursor=True),
            Lineage.SAME,
            id="stopped so after the first record",
        ),
        pytest.param(
            traces(LAST, None, OURS, LAST, has_cursor=True),
            Lineage.SAME,
            id="SQL does not know its name yet",
        ),
        pytest.param(
            traces(LAST, OURS, OURS, OLDER, has_cursor=False),
            Lineage.ROLLED_BACK,
            id="an older copy of Redis",
        ),
        pytest.param(
            traces(LAST, OURS, OURS, LAST, has_cursor=False),
            Lineage.ROLLED_BACK,
            id="the stream alone is gone",
        ),
        pytest.param(
            traces(LAST, OURS, OURS, None, has_cursor=False),
            Lineage.ROLLED_BACK,
            id="a copy from before anything was recorded",
        ),
        pytest.param(
            traces(LAST, OURS, OURS, LAST, has_cursor=True, went_back=True),
            Lineage.ROLLED_BACK,
            id="a copy that holds the last record, older than what this process saw",
        ),
        pytest.param(
            traces(LAST, OURS, None, None, has_cursor=False), Lineage.REPLACED, id="Redis is empty"
        ),
        pytest.param(
            traces(LAST, OURS, OTHER, LAST, has_cursor=True),
            Lineage.FOREIGN,
            id="another deployment's Redis, whatever it holds",
        ),
        pytest.param(
            traces(START, OURS, OTHER, NEWER, has_cursor=False),
            Lineage.FOREIGN,
            id="another deployment's Redis before the first record",
        ),
        pytest.param(
            traces(LAST, OURS, OURS, NEWER, has_cursor=False),
            Lineage.RECORD_BEHIND,
            id="an older copy of SQL",
        ),
        pytest.param(
            traces(START, None, OURS, LAST, has_cursor=False),
            Lineage.RECORD_BEHIND,
            id="a new database",
        ),
    ],
)
def test_assess(found: Traces, lineage: Lineage) -> None:
    assert assess(found) is lineage


def test_whatever_stops_pacing_says_what_to_do() -> None:
    assert set(Lineage) - set(LINEAGE_ERRORS) == {Lineage.SAME, Lineage.NEW}
    assert all(
        message.endswith(".") and remedy.endswith(".")
        for message, remedy in LINEAGE_ERRORS.values()
    )


def test_ids_are_ordered_as_numbers() -> None:
    assert sorted([NEWER, LAST, OLDER, START], key=order) == [START, OLDER, LAST, NEWER]


def record_to(redis: Redis, engine: Engine, cursor: str) -> None:
    """A recorder's step: the cursor first, then the note of it, then the cut."""
    write_position(engine, read_position(engine), RecordPosition(cursor, OURS))
    redis.set(redis_keys.RECORDED, cursor)
    redis.xtrim(redis_keys.EVENTS, minid=cursor, approximate=False)


def test_a_recorder_that_goes_on_meanwhile_is_no_other_ledger(
    redis: Redis, engine: Engine, ready_database: str
) -> None:
    recorder = open_database(ready_database)
    for happened in (OLDER, LAST, NEWER):
        redis.xadd(redis_keys.EVENTS, {"type": "enqueued"}, id=happened)
    redis.set(redis_keys.EPOCH, OURS)
    record_to(redis, recorder, OLDER)
    steps = iter([LAST, NEWER])

    @event.listens_for(engine, "checkin")
    def go_on(*_: object) -> None:
        """Between the look at the record and the look at Redis."""
        if (cursor := next(steps, None)) is not None:
            record_to(redis, recorder, cursor)

    found = read_traces(redis, engine)

    assert (read_cursor(recorder), assess(found)) == (NEWER, Lineage.SAME)
    recorder.dispose()
