"""What must have happened before an address is erased.

With a worker it is tried in tests/end_to_end/connections/test_erasing.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import select

from certmail import Mailer, Reminder
from certmail_config.admin.admin import Admin, open_admin
from certmail_config.base.errors import Refused
from certmail_config.settings import Settings
from certmail_config.sql import tables
from certmail_worker.connections.erasure import Erased, erase
from certmail_worker.recording.writer import read_cursor, write
from support.data.events import begun, enqueued, settled

ADDRESS = "anna@people.example"


@pytest.fixture
def admin(redis: Redis, redis_url: str, ready_database: str, tmp_path: Path) -> Iterator[Admin]:
    settings = Settings(redis_url=redis_url, database_url=ready_database, data_dir=tmp_path)
    with open_admin(settings, make_key=True) as made:
        write(
            made.engine,
            read_cursor(made.engine),
            [enqueued(1), begun(2), settled(3, "accepted", "accepted")],
        )
        yield made


def recipients(admin: Admin) -> list[str | None]:
    with admin.db() as db:
        return list(db.execute(select(tables.deliveries.c.recipient)).scalars())


def test_what_redis_has_forgotten_is_erased_from_the_record(admin: Admin) -> None:
    assert erase(admin, " Anna@People.EXAMPLE", "by ann", lambda _: None) == Erased(1, 0, 0)
    assert recipients(admin) == [None]
    assert erase(admin, ADDRESS, "by ann", lambda _: None) == Erased(0, 0, 0), "it may be run again"


def test_another_address_is_left_alone(admin: Admin) -> None:
    assert erase(admin, "bob@people.example", "by ann", lambda _: None) == Erased(0, 0, 0)
    assert recipients(admin) == [ADDRESS]


def test_while_the_record_is_behind_nothing_is_erased_and_it_says_what_to_do(admin: Admin) -> None:
    admin.add_tenant("acme")
    with Mailer(admin.redis) as mailer:
        mailer.send(Reminder(tenant="acme", to=ADDRESS))
    messages: list[str] = []
    with pytest.raises(Refused) as raised:
        erase(admin, ADDRESS, "by ann", messages.append, patience=0.3)
    assert raised.value.code == "still_under_way"
    assert "worker" in (raised.value.remedy or "")
    assert messages == ["Waiting: the record is not up to date yet"]
    assert recipients(admin) == [ADDRESS]
