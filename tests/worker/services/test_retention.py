"""What is forgotten when, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import func, select

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.base.errors import SettingsError
from certmail_config.settings import Settings
from certmail_config.sql import tables
from certmail_worker.recording.rows import Event
from certmail_worker.recording.writer import read_cursor, write
from certmail_worker.services.retention import Forgotten, forget
from support.data.events import NOW, begun, enqueued, settled

PAUSED = Event("9-0", "paused", NOW, {"tenant": "acme", "reason": "by ann"})


@pytest.fixture
def admin(redis: Redis, redis_url: str, ready_database: str, tmp_path: Path) -> Iterator[Admin]:
    settings = Settings(
        redis_url=redis_url,
        database_url=ready_database,
        data_dir=tmp_path,
        address_days=30,
        record_days=100,
    )
    with open_admin(settings, make_key=True) as made:
        events = [
            enqueued(1, "ended"),
            enqueued(2, "waits"),
            begun(3, job="ended"),
            settled(4, "accepted", "accepted", job="ended"),
            PAUSED,
        ]
        write(made.engine, read_cursor(made.engine), events)
        yield made


def recipients(admin: Admin) -> dict[str, str | None]:
    with admin.db() as db:
        return {
            str(job): to
            for job, to in db.execute(
                select(tables.deliveries.c.job, tables.deliveries.c.recipient)
            )
        }


def after(**period: float) -> datetime:
    return NOW + timedelta(minutes=1) + timedelta(**period)


def test_nothing_goes_before_its_time(admin: Admin) -> None:
    assert forget(admin, after(days=29)) == Forgotten()
    assert set(recipients(admin).values()) == {"anna@people.example"}


def test_addresses_go_first_and_only_of_what_has_ended(admin: Admin) -> None:
    assert forget(admin, after(days=30)) == Forgotten(addresses=1)
    assert recipients(admin) == {"ended": None, "waits": "anna@people.example"}
    assert forget(admin, after(days=31)) == Forgotten(), "once"


def test_then_the_whole_record_goes_with_attempts_and_events(admin: Admin) -> None:
    assert forget(admin, after(days=100)) == Forgotten(addresses=1, records=1)
    assert list(recipients(admin)) == ["waits"]
    with admin.db() as db:
        assert db.execute(select(func.count()).select_from(tables.attempts)).scalar_one() == 0
        left = db.execute(select(tables.events.c.job, tables.events.c.type)).all()
    assert [tuple(row) for row in left] == [("waits", "enqueued")]


def test_a_record_that_a_repair_may_need_is_not_to_be_forgotten() -> None:
    given: dict[str, Any] = {"dedupe_days": 90, "record_days": 89}
    with pytest.raises(SettingsError, match="RECORD_DAYS=89 is too short"):
        Settings.from_env(**given)
