"""What was erased is in none of the stores' own files any more; seen in their bytes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from certmail import Mailer, Reminder
from certmail_config.admin.admin import Office, open_office
from certmail_config.admin.erasing import erase_tenant
from certmail_config.base import redis_keys
from certmail_config.jobs.states import AttemptOutcome
from certmail_config.settings import Settings
from certmail_config.sql import registry
from certmail_config.tenants.models import Limits
from certmail_worker.connections.erasure import erase
from certmail_worker.connections.wiping import IN_LOG, NOT_ALLOWED, wipe
from certmail_worker.recording.rows import Event
from certmail_worker.recording.writer import read_cursor, write
from support.data.events import at, enqueued, settled

ADDRESS = "anna.the.reviewer@people.example"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Both stores of a data directory, with a tenant, its key, and a reminder that waits."""
    with open_office(Settings(data_dir=tmp_path), make_key=True) as made:
        made.add_tenant("acme")
        made.add_customer_owned_app(
            "acme",
            "owned",
            service_account="sa@acme-it.iam.gserviceaccount.com",
            mailbox="r@acme.example",
            limits=Limits(6_000, 4),
            valid_days=30,
        )
        yield made


def lie(folder: Path, what: bytes) -> set[str]:
    """The files below a folder in whose bytes something lies."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)) for path in files if what in path.read_bytes()}


def record_what_waits(office: Office) -> None:
    """As the recorder does, of the stream that there is."""
    entries: Any = office.redis.xrange(redis_keys.EVENTS)
    told = [(id_.decode(), {name.decode(): value for name, value in raw.items()}) for id_, raw in entries]
    events = []
    for id_, raw in told:
        fields = {name: value.decode() for name, value in raw.items() if name != "body"}
        events.append(Event(id_, fields.pop("type"), at(0), fields, recipient=ADDRESS))
    write(office.engine, read_cursor(office.engine), events)


def test_an_address_and_what_was_sealed_for_it(office: Office, tmp_path: Path) -> None:
    with Mailer(office.redis) as mailer:
        job = mailer.send(Reminder(tenant="acme", to=ADDRESS)).id
    body: Any = office.redis.get(redis_keys.BODY + job)
    record_what_waits(office)
    assert lie(tmp_path, ADDRESS.encode()), "in the log at least"
    assert lie(tmp_path, body)

    # A recorder follows while it is erased; here it is done by hand.
    office.redis.delete(redis_keys.BODY + job)
    write(office.engine, read_cursor(office.engine), [settled_by_hand(office, job)])
    done = erase(office, ADDRESS, "by ann", lambda _: None)
    assert (done.deliveries, done.remains) == (1, ())
    assert lie(tmp_path, ADDRESS.encode()) == set()
    assert lie(tmp_path, body) == set()


def settled_by_hand(office: Office, job: str) -> Event:
    """It has ended, and the record knows it."""
    id_: Any = office.redis.xadd(redis_keys.EVENTS, {"type": "settled", "at": "0", "job": job})
    event = settled(1, "accepted", AttemptOutcome.ACCEPTED, job=job)
    return Event(id_.decode(), event.type, event.at, event.fields)


def test_the_keys_of_a_tenant_that_is_removed(office: Office, tmp_path: Path) -> None:
    with office.db() as db:
        tenant, connections = registry.get_tenant(db, "acme"), registry.list_connections(db, "acme")
    [owned] = [each for each in connections if each.private_key]
    copy: Any = office.redis.hget(redis_keys.CONNECTION + owned.id, "sealed")
    halves = [tenant.private_key, owned.private_key or b"", copy]
    assert all(lie(tmp_path, half) for half in halves)

    erase_tenant(office, "acme", connections)
    assert any(lie(tmp_path, half) for half in halves), "which is why they are wiped out"
    assert wipe(office) == []
    assert [lie(tmp_path, half) for half in halves] == [set()] * len(halves)


def test_what_a_server_does_not_allow_is_said_and_no_more(office: Office) -> None:
    rights = ["+@all", "-bgrewriteaof"]
    office.redis.acl_setuser("app", enabled=True, nopass=True, keys=["*"], channels=["*"], commands=rights)
    path = office.redis.connection_pool.connection_kwargs["path"]
    with Redis(unix_socket_path=path, username="app", password="x") as allowed:
        there = Office(office.settings, office.engine, allowed, office.vault)
        assert wipe(there) == [NOT_ALLOWED.format(what="BGREWRITEAOF")]


def test_a_log_that_somebody_reads_from_is_said(office: Office, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "certmail.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM tenants").fetchone()
        write(office.engine, read_cursor(office.engine), [enqueued(1)])
        with office.engine.connect() as db:
            db.exec_driver_sql("PRAGMA busy_timeout=100")
            db.rollback()
        assert wipe(office, patience=0.2)[:1] == [IN_LOG]


def test_where_nothing_was_erased_it_does_no_harm(office: Office) -> None:
    before = sorted(office.redis.scan_iter("*"))
    assert wipe(office) == []
    assert sorted(office.redis.scan_iter("*")) == before
