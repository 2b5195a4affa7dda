"""A certmail deployment with thousands of linked mailboxes.

It is set up through the same functions as the commands use.

In bulk: one SQL transaction for all, because `Admin.save` looks through all tenants for each.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from redis import Redis
from sqlalchemy import Connection as Db

from bench.environments import say
from bench.mail import mail
from bench.mail.place import Place, VoidError
from certmail import Mailer
from certmail_config import ledger
from certmail_config.admin.admin import Admin, open_admin
from certmail_config.base import redis_keys
from certmail_config.base.errors import ReminderRejected
from certmail_config.base.ids import ConnectionId, JobId, uuid7
from certmail_config.jobs.states import State
from certmail_config.ledger import Call, Enqueued, Lane
from certmail_config.settings import Settings
from certmail_config.sql import registry
from certmail_config.stores.connect import connect
from certmail_config.tenants.models import (
    Connection,
    ConnectionKind,
    ConnectionState,
    GoogleLimits,
    Tenant,
)
from certmail_config.tenants.working_copy import write_connection, write_deployment, write_tenant

CONCURRENCY = 200
"""As shipped."""
ONE_PROJECT = GoogleLimits()
"""Google's defaults: a mailbox may send one mail a second, a Cloud project 200.

A send takes 100 units (google.md §1.1).
"""
LIMITS = replace(ONE_PROJECT, project_units_per_minute=100 * ONE_PROJECT.project_units_per_minute)
"""The same with a project that is never the limit: as if the mailboxes were in a hundred projects."""


MILLION = 1_000_000
FAR = datetime(2100, 1, 1, tzinfo=UTC).timestamp()


def pace_ceiling(mailboxes: int) -> float:
    """How many mails a second the mailboxes may send in all, at the 98 % that certmail uses."""
    return mailboxes * ONE_PROJECT.units_per_minute * 0.98 / 100 / 60


def environment(place: Place) -> dict[str, str]:
    """Certmail's settings."""
    return {
        "CERTMAIL_DATA_DIR": str(place.folder / "certmail"),
        "CERTMAIL_REDIS_URL": place.redis_url(0),
        "CERTMAIL_VAULT_KEYS": place.vault_key,
        "CERTMAIL_GMAIL_URL": place.google.gmail_url,
        "CERTMAIL_GOOGLE_TOKEN_URL": place.google.token_url,
        "CERTMAIL_GOOGLE_CA_FILE": str(place.ca_file),
        "CERTMAIL_OAUTH_CLIENT_ID": "bench.apps.googleusercontent.com",
        "CERTMAIL_OAUTH_CLIENT_SECRET": "bench",
        "CERTMAIL_CONCURRENCY": str(CONCURRENCY),
    }


def set_up(place: Place) -> None:
    """Tenants and their linked connections, in SQL and in the working copy; their lanes open."""
    now = datetime.now(UTC)

    with open_admin(_settings(place)) as admin:
        with admin.db() as db:
            salt = registry.deployment_salt(db)
            tenants = {
                name: registry.add_tenant(db, admin.vault, name, now)[0]
                for name in sorted({mail.tenant(box) for box in range(place.mailboxes)})
            }
            linked = [_link(db, admin, box, now) for box in range(place.mailboxes)]
        _publish(admin, tenants.values(), linked, salt)
        # Setting up is no part of what is recorded later.
        admin.redis.delete(redis_keys.EVENTS)


def _settings(place: Place) -> Settings:
    given = {
        name.removeprefix("CERTMAIL_").lower(): value for name, value in environment(place).items()
    }
    return Settings.from_env(**cast("dict[str, Any]", given))


def _link(db: Db, admin: Admin, box: int, now: datetime) -> Connection:
    """A connection as it is after an administrator has signed in and consented."""
    draft = registry.add_connection(db, mail.tenant(box), mail.connection(box), now)
    linked = replace(
        draft,
        kind=ConnectionKind.SERVICE_PROVIDER_APP,
        state=ConnectionState.ACTIVE,
        mailbox=mail.mailbox(box),
        sub=str(box),
        refresh_token=admin.vault.seal(f"1//refresh-{box}".encode(), owner=draft.owner),
    )

    registry.save_connection(db, linked)
    return registry.change_limits(db, draft.id, asdict(LIMITS))


def _publish(
    admin: Admin, tenants: Iterable[Tenant], linked: Sequence[Connection], salt: bytes
) -> None:
    with _quickly(admin):
        write_deployment(admin.redis, salt)
        for connection in linked:
            write_connection(admin.redis, admin.vault, connection, salt, settle_lane=True)

        for tenant in tenants:
            own = [each for each in linked if each.tenant == tenant.id]
            write_tenant(admin.redis, admin.vault, tenant, own)


@contextmanager
def _quickly(admin: Admin) -> Iterator[None]:
    """Thousands of round trips take half the time when each is not made durable by itself."""
    admin.redis.config_set("appendfsync", "no")
    try:
        yield
    finally:
        admin.redis.config_set("appendfsync", "always")


def set_limits(place: Place, limits: GoogleLimits) -> None:
    """Give every connection other limits, while no worker runs."""
    with open_admin(_settings(place)) as admin:
        with admin.db() as db:
            salt, linked = registry.deployment_salt(db), registry.list_connections(db)
            if all(each.limits == limits for each in linked):
                return
            changed = [registry.change_limits(db, each.id, asdict(limits)) for each in linked]

        with _quickly(admin):
            for connection in changed:
                write_connection(admin.redis, admin.vault, connection, salt, settle_lane=True)
        # Nothing is under way that was leased by the old limits: nobody need look for that, as
        # deployments do for an hour after limits have changed.
        for prefix, field in (
            (redis_keys.MAILBOX, "look_again"),
            (redis_keys.PROJECT, "look_again"),
            (redis_keys.DAY, "limits"),
        ):
            for key in admin.redis.scan_iter(f"{prefix}*", count=1000):
                admin.redis.hdel(key, field)


def enqueue(place: Place, count: int) -> set[str]:
    """Enqueue reminders, one mailbox after the other; gives the jobs."""
    run, boxes = uuid.uuid4().hex, place.mailboxes
    reminders = (mail.reminder(n, n % boxes, key=f"{run}-{n}") for n in range(count))
    with connect(place.redis_url(0)) as redis:
        return {_id(answer) for answer in Mailer(redis).send_many(reminders)}


def _id(answer: object) -> str:
    if isinstance(answer, ReminderRejected):
        raise VoidError(f"a reminder was rejected: {answer.message}")
    return str(cast("Any", answer).id)


def fill(place: Place) -> None:
    """Have a million reminders wait for a day far ahead, unless they do; takes some minutes."""
    redis = place.redis
    if redis.zcard(redis_keys.DUE) >= MILLION:
        return

    say(f"Filling the ledger with {MILLION:,} reminders that wait for their time ...")
    lanes = [f"waiting-{n:03}" for n in range(1000)]
    with open_admin(_settings(place)) as admin, _quickly(admin):
        ledger.run_many(
            redis,
            [
                ledger.set_lane(
                    Lane(ConnectionId(lane), "waiting", f"m-{lane}", 15_000, 4, 1),
                    code="",
                    message="",
                )
                for lane in lanes
            ],
        )
        for begin in range(0, MILLION, 500):
            calls = [_waiting(n, lanes[n % len(lanes)]) for n in range(begin, begin + 500)]
            ledger.run(redis, ledger.enqueue_many(calls))
            if begin % 100_000 == 0:
                redis.xtrim(redis_keys.EVENTS, maxlen=1000)
    _skip_events(place)


def _skip_events(place: Place) -> None:
    """Nobody is to record what is there: as if a recorder had been at it all the while."""
    newest = _newest_event(place.redis)
    with closing(sqlite3.connect(_database(place))) as db, db:
        db.execute("UPDATE recorder SET cursor = ?", [newest])
    place.redis.xtrim(redis_keys.EVENTS, minid=newest, approximate=False)


def _waiting(number: int, lane: str) -> Call[Enqueued]:
    """A reminder of a connection that is stopped, or for the year 2100; nobody will open it."""
    scheduled = number % 2 == 0
    return ledger.enqueue(
        id=JobId(uuid7(number)),
        tenant="waiting",
        connection=ConnectionId(lane),
        dedupe=f"waiting:{number}",
        fingerprint="f" * 64,
        state=State.SCHEDULED if scheduled else State.READY,
        reason="",
        send_at=FAR if scheduled else None,
        expires_at=FAR + 86_400,
        priority=5,
        kind="reminder",
        campaign="q4-2099",
        keep_seconds=90 * 86_400,
        body=bytes(600),
    )


def all_final(redis: Redis, waiting: int = 0) -> bool:
    """Whether only so many are unfinished in the ledger, and no doorbell waits or is held."""
    names = [f"{redis_keys.CELERY_PREFIX}{name}" for name in ("certmail", "unacked")]
    counts = cast("Any", [redis.zcard(redis_keys.DUE), redis.llen(names[0]), redis.hlen(names[1])])
    return bool(counts == [waiting, 0, 0])


def all_recorded(place: Place) -> bool:
    """Whether the recorder has written every event to SQL."""
    return _cursor(_database(place)) == _newest_event(place.redis)


def _database(place: Place) -> Path:
    return place.folder / "certmail" / "certmail.sqlite"


def _newest_event(redis: Redis) -> str:
    newest: bytes = redis.xinfo_stream(redis_keys.EVENTS)["last-generated-id"]
    return newest.decode()


def _cursor(database: Path) -> str:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as db:
        found = db.execute("SELECT cursor FROM recorder").fetchone()
    return str(found[0]) if found else ""
