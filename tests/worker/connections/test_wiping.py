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
from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.erasing import erase_tenant
from certmail_config.base import redis_keys
from certmail_config.jobs.states import AttemptOutcome
from certmail_config.settings import Settings
from certmail_config.sql import registry
from certmail_config.tenants.models import GoogleLimits
from certmail_worker.connections.erasure import erase
from certmail_worker.connections.wiping import IN_LOG, NOT_ALLOWED, wipe
from certmail_worker.recording.rows import Event
from certmail_worker.recording.writer import read_cursor, write
from support.data.events import at, enqueued, settled

ADDRESS = "anna.the.reviewer@people.example"


@pytest.fixture
def admin(tmp_path: Path) -> Iterator[Admin]:
    """Both stores of a data directory, with a tenant, its key, and a reminder that waits."""
    with open_admin(Settings(data_dir=tmp_path), make_key=True) as made:
        made.add_tenant("acme")
        made.add_customer_owned_app(
            "acme",
            "owned",
            service_account="sa@acme-it.iam.gserviceaccount.com",
            mailbox="r@acme.example",
            limits=GoogleLimits(6_000, 4),
            valid_days=30,
        )
        yield made


def lie(folder: Path, what: bytes) -> set[str]:
    """The files below a folder in whose bytes something lies."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)) for path in files if what in path.read_bytes()}


def record_what_waits(admin: Admin) -> None:
    """As the recorder does, of the stream that there is."""
    entries: Any = admin.redis.xrange(redis_keys.EVENTS)
    findings = [
        (id_.decode(), {name.decode(): value for name, value in raw.items()})
        for id_, raw in entries
    ]
    events = []

    for id_, raw in findings:
        fields = {name: value.decode() for name, value in raw.items() if name != "body"}
        events.append(Event(id_, fields.pop("type"), at(0), fields, recipient=ADDRESS))

    write(admin.engine, read_cursor(admin.engine), events)


def test_an_address_and_what_was_sealed_for_it(admin: Admin, tmp_path: Path) -> None:
    with Mailer(admin.redis) as mailer:
        job = mailer.send(Reminder(tenant="acme", to=ADDRESS)).id
    body: Any = admin.redis.get(redis_keys.BODY + job)
    record_what_waits(admin)
    assert lie(tmp_path, ADDRESS.encode()), "in the log at least"
    assert lie(tmp_path, body)

    # A recorder follows while it is erased; here it is done by hand.
    admin.redis.delete(redis_keys.BODY + job)
    write(admin.engine, read_cursor(admin.engine), [settled_by_hand(admin, job)])
    done = erase(admin, ADDRESS, "by ann", lambda _: None)
    assert (done.deliveries, done.remains) == (1, ())
    assert lie(tmp_path, ADDRESS.encode()) == set()
    assert lie(tmp_path, body) == set()


def settled_by_hand(admin: Admin, job: str) -> Event:
    """It has ended, and the record knows it."""
    id_: Any = admin.redis.xadd(redis_keys.EVENTS, {"type": "settled", "at": "0", "job": job})
    event = settled(1, "accepted", AttemptOutcome.ACCEPTED, job=job)
    return Event(id_.decode(), event.type, event.at, event.fields)


def test_the_keys_of_a_tenant_that_is_removed(admin: Admin, tmp_path: Path) -> None:
    with admin.db() as db:
        tenant, connections = registry.get_tenant(db, "acme"), registry.list_connections(db, "acme")
    [owned] = [each for each in connections if each.private_key]
    copy: Any = admin.redis.hget(redis_keys.CONNECTION + owned.id, "sealed")
    halves = [tenant.private_key, owned.private_key or b"", copy]
    assert all(lie(tmp_path, half) for half in halves)

    erase_tenant(admin, "acme", connections)
    assert any(lie(tmp_path, half) for half in halves), "which is why they are wiped out"
    assert wipe(admin) == []
    assert [lie(tmp_path, half) for half in halves] == [set()] * len(halves)


def test_what_a_server_does_not_allow_is_said_and_no_more(admin: Admin) -> None:
    rights = ["+@all", "-bgrewriteaof"]
    admin.redis.acl_setuser(
        "app", enabled=True, nopass=True, keys=["*"], channels=["*"], commands=rights
    )
    path = admin.redis.connection_pool.connection_kwargs["path"]
    with Redis(unix_socket_path=path, username="app", password="x") as allowed:
        there = Admin(admin.settings, admin.engine, allowed, admin.vault)
        assert wipe(there) == [NOT_ALLOWED.format(what="BGREWRITEAOF")]


def test_a_log_that_somebody_reads_from_is_said(admin: Admin, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "certmail.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM tenants").fetchone()
        write(admin.engine, read_cursor(admin.engine), [enqueued(1)])
        with admin.engine.connect() as db:
            db.exec_driver_sql("PRAGMA busy_timeout=100")
            db.rollback()
        assert wipe(admin, patience=0.2)[:1] == [IN_LOG]


def test_where_nothing_was_erased_it_does_no_harm(admin: Admin) -> None:
    before = sorted(admin.redis.scan_iter("*"))
    assert wipe(admin) == []
    assert sorted(admin.redis.scan_iter("*")) == before
