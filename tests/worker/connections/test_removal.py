"""What is called off and waited for before anything is erased.

With a worker it is tried in tests/end_to_end/connections/test_suspension.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from certmail import Mailer, Reminder
from certmail_config.admin.admin import Admin, open_admin
from certmail_config.base import redis_keys
from certmail_config.base.errors import Refused
from certmail_config.base.ids import ConnectionId
from certmail_config.ledger import advertise, run
from certmail_config.settings import Settings
from certmail_config.tenants.models import Connection
from certmail_worker.connections import removal
from certmail_worker.connections.draining import newest_event
from certmail_worker.connections.removal import Drain
from certmail_worker.google.token_client import Purpose
from certmail_worker.google.tokens import _name, keys_of
from certmail_worker.recording.writer import read_position, write_position


@pytest.fixture
def admin(redis: Redis, redis_url: str, ready_database: str, tmp_path: Path) -> Iterator[Admin]:
    settings = Settings(redis_url=redis_url, database_url=ready_database, data_dir=tmp_path)
    with open_admin(settings, make_key=True) as made:
        made.add_tenant("acme")
        made.add_tenant("globex")
        yield made


def remind(admin: Admin, tenant: str = "acme", **more: Any) -> str:
    with Mailer(admin.redis) as mailer:
        return str(mailer.send(Reminder(tenant=tenant, to="ann@people.example", **more)).id)


def test_all_that_waits_of_one_tenant_is_called_off_and_nothing_of_another(admin: Admin) -> None:
    mine, other = remind(admin), remind(admin, "globex")
    drain = Drain(admin, "acme", "", "its tenant was removed", lambda _: None)
    assert drain.run() == []
    assert drain.again() == []
    assert drain.cancelled == 1

    with Mailer(admin.redis) as mailer:
        [ended, waits] = [mailer.status(job) for job in (mine, other)]
    assert ended is not None
    assert waits is not None
    assert (ended.state, ended.reason) == ("cancelled", "cancelled: its tenant was removed")
    assert waits.state == "ready"


def test_what_nobody_brings_to_an_end_is_said_and_waited_for_only_so_long(admin: Admin) -> None:
    job, messages = remind(admin), list[str]()
    admin.redis.sadd(redis_keys.LEASED, job)  # as if a worker had it, and there is none
    connection = admin.connection("acme/default").id
    for scope in ("", connection):
        drain = Drain(admin, "acme", scope, "it is removed", messages.append, patience=0.3)
        with pytest.raises(Refused) as refused:
            drain.run()
        assert refused.value.code == "still_under_way"
        assert "certmail worker" in refused.value.remedy

    assert messages == ["Waiting: reminders that are under way: 1"] * 2
    Drain(admin, "globex", "", "it is removed", messages.append, patience=0.3).run()
    Drain(admin, "acme", "another", "it is removed", messages.append, patience=0.3).run()


def test_where_reminders_come_in_without_end_it_is_given_up(admin: Admin) -> None:
    drain = Drain(admin, "acme", "", "it is removed", lambda _: None, patience=-1)
    with pytest.raises(Refused) as refused:
        drain.again()
    assert refused.value.code == "still_enqueued"


def test_the_record_is_waited_for_while_a_worker_lives_that_could_still_write_an_address(
    admin: Admin,
) -> None:
    remind(admin)
    newest = newest_event(admin.redis)
    assert not removal._left_to_record(admin, newest), "nobody remembers the key"
    run(admin.redis, advertise("w", 1, seconds=60))
    assert removal._left_to_record(admin, newest)
    was = read_position(admin.engine)
    write_position(admin.engine, was, replace(was, cursor=newest))
    assert not removal._left_to_record(admin, newest)


def test_the_tokens_of_all_versions_are_named() -> None:
    connection = Connection(ConnectionId("c"), "acme", "default", version=3)
    assert {_name(connection, purpose) for purpose in Purpose} < set(keys_of(connection))
    assert len(keys_of(connection)) == 3 * len(Purpose) * len({"token", "refusal"})
