"""The working copy follows SQL, whoever changes it meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import event

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.erasing import erase_connection, erase_tenant
from certmail_config.base import redis_keys
from certmail_config.settings import Settings
from certmail_config.sql import registry
from certmail_config.tenants.models import Connection, GoogleLimits


@pytest.fixture
def settings(redis: Redis, redis_url: str, ready_database: str, tmp_path: Path) -> Settings:
    return Settings(redis_url=redis_url, database_url=ready_database, data_dir=tmp_path)


@pytest.fixture
def admin(settings: Settings) -> Iterator[Admin]:
    """Who writes the working copy."""
    with open_admin(settings, make_key=True) as made:
        made.add_tenant("acme", name="ACME")
        yield made


@pytest.fixture
def other(admin: Admin, settings: Settings) -> Iterator[Admin]:
    """Who removes things meanwhile."""
    with open_admin(settings) as made:
        yield made


@pytest.fixture
def connection(admin: Admin) -> Connection:
    """One that works."""
    made = admin.add_customer_owned_app(
        "acme",
        "default",
        service_account="certmail@acme-it.iam.gserviceaccount.com",
        mailbox="reviews@acme.example",
        limits=GoogleLimits(),
        valid_days=30,
    )
    return admin.save(made.working(key_id="abc"))


@contextmanager
def once_connections_were_read(admin: Admin, do: Callable[[], None]) -> Iterator[None]:
    """Do this when its process has read connections in SQL, before it writes what it read."""
    read, done = False, False

    def look(_db: object, _cursor: object, statement: str, *_: object) -> None:
        nonlocal read
        read = read or "connections.refresh_token, connections" in statement

    def act(*_: object) -> None:
        nonlocal done
        if read and not done:
            done = True
            do()

    event.listen(admin.engine, "before_cursor_execute", look)
    event.listen(admin.engine, "checkin", act)
    yield
    event.remove(admin.engine, "before_cursor_execute", look)
    event.remove(admin.engine, "checkin", act)
    assert done


def lose(redis: Redis, connection: Connection) -> None:
    """What Redis held of it is gone, as after an older copy was put back."""
    redis.delete(redis_keys.CONNECTION + connection.id, redis_keys.LANE_INFO + connection.id)


def left(redis: Redis, connection: Connection) -> list[str]:
    keys = [redis_keys.CONNECTION + connection.id, redis_keys.LANE_INFO + connection.id]
    return [key for key in keys if redis.exists(key)]


WAYS = [
    pytest.param(lambda admin: admin.projector.copy_missing(), id="the caretaker's round"),
    pytest.param(lambda admin: admin.projector.publish_missing(), id="a repair"),
]


@pytest.mark.parametrize("write", WAYS)
def test_a_tenant_that_is_removed_meanwhile_does_not_come_back(
    admin: Admin, other: Admin, connection: Connection, write: Callable[[Admin], int]
) -> None:
    lose(admin.redis, connection)
    admin.redis.delete(redis_keys.TENANT + "acme")

    with once_connections_were_read(admin, lambda: erase_tenant(other, "acme", [connection])):
        write(admin)

    assert left(admin.redis, connection) == []
    assert not admin.redis.exists(redis_keys.TENANT + "acme")
    assert not admin.redis.sismember(redis_keys.TENANTS, "acme")


@pytest.mark.parametrize("write", WAYS)
def test_a_connection_that_is_removed_meanwhile_leaves_its_name_to_the_next(
    admin: Admin, other: Admin, connection: Connection, write: Callable[[Admin], int]
) -> None:
    lose(admin.redis, connection)
    admin.redis.delete(redis_keys.TENANT + "acme")

    with once_connections_were_read(admin, lambda: erase_connection(other, connection)):
        write(admin)

    assert left(admin.redis, connection) == []
    with admin.db() as db:
        draft = registry.get_connection(db, "acme/default")
    assert left(admin.redis, draft) != []
    named = admin.redis.hget(redis_keys.TENANT + "acme", "connection:default")
    assert named == draft.id.encode()
