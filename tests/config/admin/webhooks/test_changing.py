"""Changing a webhook: another address under the same secret, other types, another name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import update

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.webhooks.changing import change_webhook
from certmail_config.admin.webhooks.endpoints import add_webhook, get_webhook
from certmail_config.admin.webhooks.running import pause_webhook, rotate_webhook
from certmail_config.admin.webhooks.secrets import signing_secrets
from certmail_config.base.errors import Refused, SealBroken, WrongUse
from certmail_config.settings import Settings
from certmail_config.sql import tables
from certmail_config.webhooks.health import EndpointState

URL = "https://hooks.example.com/in"
MOVED = "https://new.example.com/in"
LATER = datetime(2099, 1, 1, tzinfo=UTC)


@pytest.fixture
def admin(redis: Redis, redis_url: str, ready_database: str, tmp_path: Path) -> Iterator[Admin]:
    settings = Settings(redis_url=redis_url, database_url=ready_database, data_dir=tmp_path)
    with open_admin(settings, make_key=True) as made:
        made.add_tenant("acme")
        yield made


def now() -> datetime:
    return datetime.now(UTC)


def test_what_is_not_named_stays(admin: Admin) -> None:
    made, _ = add_webhook(admin, URL, tenants=["acme"], types=["reminder.failed"], name="ours")
    changed = change_webhook(admin, made.id, types=["reminder.accepted", "reminder.failed"])
    assert changed == replace(
        made, types=frozenset({"reminder.accepted", "reminder.failed"}), version=2
    )
    assert get_webhook(admin, made.id) == changed
    assert change_webhook(admin, made.id, name=" theirs ").name == "theirs"
    assert change_webhook(admin, made.id, types=()).types == {"*"}


def test_at_another_address_the_secrets_stay_and_are_sealed_for_it_alone(admin: Admin) -> None:
    made, first = add_webhook(admin, URL, tenants=["acme"])
    rotated, second = rotate_webhook(admin, made.id, hours=2)
    moved = change_webhook(admin, made.id, url=MOVED)
    assert (moved.url, moved.previous_until) == (MOVED, rotated.previous_until)
    assert signing_secrets(admin.vault, moved, now()) == [second, first]
    with pytest.raises(SealBroken):
        signing_secrets(admin.vault, replace(moved, url=URL), now())


def test_a_secret_whose_time_is_over_does_not_move_with_it(admin: Admin) -> None:
    made, _ = add_webhook(admin, URL, tenants=["acme"])
    _, second = rotate_webhook(admin, made.id, hours=0)
    moved = change_webhook(admin, made.id, url=MOVED)
    assert (moved.previous_secret, moved.previous_until) == (None, None)
    assert signing_secrets(admin.vault, moved, now()) == [second]


def test_what_the_address_before_did_counts_no_more(admin: Admin) -> None:
    made, _ = add_webhook(admin, URL, tenants=["acme"])
    with admin.db() as db:
        ill = {"state": "backing_off", "code": "failing", "failures": 9, "error": "HTTP 500"}
        ill |= {"failing_since": now() - timedelta(days=4), "next_at": LATER}
        db.execute(update(tables.webhook_endpoints).values(**ill))
    moved = change_webhook(admin, made.id, url=MOVED)
    well = moved.health
    assert (well.state, well.code, well.failures) == (EndpointState.ACTIVE, None, 0)
    assert (well.failing_since, well.next_at, moved.error) == (None, None, None)


def test_what_a_person_has_stopped_stays_stopped(admin: Admin) -> None:
    made, _ = add_webhook(admin, URL, tenants=["acme"])
    pause_webhook(admin, made.id)
    assert change_webhook(admin, made.id, url=MOVED).health.state is EndpointState.PAUSED


@pytest.mark.parametrize(
    "url", ["http://hooks.example.com/", "https://10.0.0.1/", "https://169.254.169.254/", "x"]
)
def test_an_address_is_looked_at_as_when_one_is_added(admin: Admin, url: str) -> None:
    made, _ = add_webhook(admin, URL, tenants=["acme"])
    with pytest.raises(WrongUse, match="No webhook can be sent there"):
        change_webhook(admin, made.id, url=url)
    assert get_webhook(admin, made.id) == made


def test_what_is_no_type_and_what_is_no_webhook_is_said(admin: Admin) -> None:
    made, _ = add_webhook(admin, URL, tenants=["acme"])
    with pytest.raises(WrongUse, match="no type of event"):
        change_webhook(admin, made.id, types=["reminder.sent"])
    with pytest.raises(Refused, match="no webhook"):
        change_webhook(admin, "none", name="x")
