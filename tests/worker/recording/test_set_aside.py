"""Events that cannot be recorded are set aside, once.

Everything else is on record, whatever lies in the stream.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from redis import Redis
from sqlalchemy import func, select
from sqlalchemy.exc import (
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
)

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.base import redis_keys
from certmail_config.crypto.sealing import Sealer
from certmail_config.settings import Settings
from certmail_config.sql import registry, tables
from certmail_config.stores.connect import connect_async
from certmail_worker.google.tenant_cache import Directory
from certmail_worker.recording.consistency import check
from certmail_worker.recording.recorder import record
from certmail_worker.recording.set_aside import Aside, aside_row, lies_in_data, why
from certmail_worker.recording.writer import read_cursor, write, write_all
from certmail_worker.services.retention import forget
from support.data.events import begun, enqueued, settled
from support.data.garbage import EVENTS, PAYLOADS
from support.processes.tasks import end


@pytest.fixture
def admin(redis: Redis, redis_url: str, ready_database: str, tmp_path: Path) -> Iterator[Admin]:
    settings = Settings(redis_url=redis_url, database_url=ready_database, data_dir=tmp_path)
    with open_admin(settings, make_key=True) as made:
        made.add_tenant("acme")
        # That somebody made it is an event, too, and none that is counted here.
        made.redis.delete(redis_keys.EVENTS)
        assert check(made.redis, made.engine)
        yield made


def count(admin: Admin, table: Any) -> int:
    with admin.db() as db:
        return int(db.execute(select(func.count()).select_from(table)).scalar_one())


def newest(admin: Admin) -> str:
    [(id_, _)] = cast("Any", admin.redis.xrevrange(redis_keys.EVENTS, count=1))
    return str(id_.decode())


def record_all(admin: Admin) -> None:
    """Record in this process until there is nothing left."""

    async def run() -> None:
        async with connect_async(str(admin.settings.redis_url)) as redis:
            running = asyncio.create_task(
                record(redis, Directory(redis, admin.vault), admin.engine)
            )
            deadline = time.monotonic() + 60
            while await asyncio.to_thread(read_cursor, admin.engine) != newest(admin):
                assert not running.done(), running.exception()
                assert time.monotonic() < deadline, "the record stands still"
                await asyncio.sleep(0.05)
            await end(running)

    asyncio.run(run())


def add(admin: Admin, fields: Any) -> None:
    admin.redis.xadd(redis_keys.EVENTS, fields)


def good(admin: Admin, job: str) -> None:
    """An event that has nothing wrong with it."""
    fields = dict(enqueued(1, job).fields) | {"type": "enqueued", "at": "1795737600000"}
    add(admin, fields)


def test_the_record_goes_on_whatever_lies_in_the_stream(
    admin: Admin, caplog: pytest.LogCaptureFixture
) -> None:
    for n, fields in enumerate(EVENTS.values()):
        good(admin, f"job-{n}")
        add(admin, fields)

    good(admin, "last")
    record_all(admin)
    aside, recorded = count(admin, tables.set_aside), count(admin, tables.events)
    assert aside + recorded == 2 * len(EVENTS) + 1, "each once"
    assert count(admin, tables.deliveries) == len(EVENTS) + 1
    assert aside >= len(EVENTS) - 6, "a few of them are only odd"
    assert "events_set_aside" in caplog.text
    record_all(admin)
    assert (count(admin, tables.set_aside), count(admin, tables.events)) == (aside, recorded)


def test_a_content_that_is_no_reminder_leaves_its_delivery_on_record_without_recipient(
    admin: Admin, caplog: pytest.LogCaptureFixture
) -> None:
    with admin.db() as db:
        sealer = Sealer(registry.get_tenant(db, "acme").public_key)

    for n, payload in enumerate(PAYLOADS.values()):
        job = f"job-{n}"
        fields = dict(enqueued(1, job).fields) | {"type": "enqueued", "at": "1795737600000"}
        add(admin, fields | {"body": sealer.seal(payload, tenant="acme", job=job, now=0)})

    record_all(admin)
    assert (count(admin, tables.deliveries), count(admin, tables.set_aside)) == (len(PAYLOADS), 0)
    with admin.db() as db:
        recipients = set(db.execute(select(tables.deliveries.c.recipient)).scalars())
    assert recipients == {None, "ann@people.example"}, (
        "the address where there is one that can be kept"
    )
    assert "ann@" not in caplog.text


@pytest.mark.parametrize("value", [b"\xff", b"", b"{}", None], ids=str)
def test_a_tenant_or_connection_that_cannot_be_read_stops_no_record(
    admin: Admin, value: bytes | None
) -> None:
    redis: Any = admin.redis

    for key, field in (
        (redis_keys.TENANT + "acme", "private_key"),
        (redis_keys.CONNECTION + "c", "sealed"),
    ):
        redis.hset(key, mapping={"tenant": "acme", "version": "1"})
        redis.hdel(key, field) if value is None else redis.hset(key, field, value)

    redis.set(redis_keys.CONNECTION + "no-hash", "a text")
    fields = dict(enqueued(1).fields) | {
        "type": "enqueued",
        "at": "1795737600000",
        "body": b"\x01" * 300,
    }
    add(admin, fields)
    for connection in ("c", "no-hash"):
        add(
            admin,
            {**begun(2).fields, "type": "begun", "at": "1795737600000", "connection": connection},
        )
    record_all(admin)
    assert (count(admin, tables.events), count(admin, tables.set_aside)) == (3, 0)


def test_of_a_batch_that_the_database_does_not_take_only_the_bad_one_is_set_aside(
    admin: Admin,
) -> None:
    bad = settled(7, "accepted", "accepted", attempt=10**30)
    batch = [
        enqueued(1),
        begun(2),
        settled(3, "accepted", "accepted"),
        enqueued(4, "k"),
        bad,
        enqueued(8, "l"),
    ]

    raw = {event.id: {b"type": event.type.encode(), b"job": b"j"} for event in batch}
    assert write_all(admin.engine, read_cursor(admin.engine), batch, raw) == "8-0"
    assert read_cursor(admin.engine) == "8-0"
    assert count(admin, tables.events) == 5

    with admin.db() as db:
        [row] = db.execute(select(tables.set_aside)).all()
        found = db.execute(select(tables.deliveries.c.job, tables.deliveries.c.state)).all()
        states = {row.job: row.state for row in found}

    assert (row.id, row.type, row.job) == ("7-0", "settled", "j")
    assert states == {"j": "accepted", "k": "ready", "l": "ready"}


def test_what_is_set_aside_is_forgotten_in_its_time(admin: Admin) -> None:
    write(admin.engine, read_cursor(admin.engine), [Aside("1-0", {b"a": b"b"}, "it lacks 'type'")])
    days = timedelta(days=admin.settings.dedupe_days)
    forget(admin, datetime.now(UTC) + days - timedelta(minutes=1))
    assert count(admin, tables.set_aside) == 1
    forget(admin, datetime.now(UTC) + days + timedelta(minutes=1))
    assert count(admin, tables.set_aside) == 0


def test_what_is_kept_names_nobody_and_fits_any_database() -> None:
    raw = {
        b"type": b"enqueued",
        b"tenant": b"a\x00b",
        b"job": b"\xff",
        b"body": b"\x01" * 300,
        b"reason": b"ann@people.example \xed\xa0\x80" + b"x" * 100_000,
        **{b"field %d" % n: b"1" for n in range(500)},
    }

    row = aside_row(Aside("9" * 100, raw, "of ann@people.example"), datetime.now(UTC))
    fields = json.loads(row["fields"])
    assert (row["type"], row["tenant"], row["job"], fields["body"]) == (
        "enqueued",
        None,
        None,
        "(300 bytes)",
    )
    assert (len(row["id"]), len(fields)) == (64, 51)
    assert "people.example" not in json.dumps(row, default=str)
    assert "\x00" not in str(row)
    assert len(row["fields"]) < 20_000


def failing(kind: type[Any], *, lost: bool = False) -> Exception:
    error = kind("INSERT …", {}, Exception("no"))
    error.connection_invalidated = lost
    return cast("Exception", error)


@pytest.mark.parametrize(
    ("error", "data"),
    [
        (failing(DataError), True),
        (failing(IntegrityError), True),
        (ValueError("no"), True),
        (OverflowError("no"), True),
        (failing(DataError, lost=True), False),
        (failing(OperationalError), False),
        (failing(InterfaceError), False),
        # The tables are not those of this version: true of every event.
        (failing(ProgrammingError), False),
    ],
)
def test_only_what_lies_in_an_event_itself_sets_it_aside(error: Exception, *, data: bool) -> None:
    assert lies_in_data(error) is data


def test_a_reason_says_what_is_missing() -> None:
    assert why(KeyError("at")) == "it lacks 'at'"
    assert why(failing(DataError)) == "Exception: no"
