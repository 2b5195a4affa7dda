"""Whatever somebody does with a webhook is on record, with who did it, and holds no address in full."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.webhooks.changing import change_webhook
from certmail_config.admin.webhooks.endpoints import add_webhook, remove_webhook
from certmail_config.admin.webhooks.running import (
    pause_webhook,
    replay_failed,
    replay_one,
    replay_since,
    resume_webhook,
    rotate_webhook,
)
from certmail_config.base import redis_keys
from certmail_config.base.errors import Refused
from certmail_config.settings import Settings
from certmail_config.sql.webhooks.messages import add_message, newest_messages
from certmail_config.webhooks.catalogue import WebhookType

URL = "https://hooks.example.com/in?key=theirs"
BY = "ann on the command line"
NOW = datetime(2026, 11, 25, 15, 20, tzinfo=UTC)


@pytest.fixture
def admin(redis: Redis, redis_url: str, ready_database: str, tmp_path: Path) -> Iterator[Admin]:
    settings = Settings(redis_url=redis_url, database_url=ready_database, data_dir=tmp_path)
    with open_admin(settings, make_key=True, actor=BY) as made:
        made.add_tenant("acme")
        made.add_tenant("globex")
        redis.delete(redis_keys.EVENTS)
        yield made


def events(redis: Redis) -> list[tuple[str, ...]]:
    entries: Any = redis.xrange(redis_keys.EVENTS)
    names = (b"type", b"tenant", b"reason", b"by")
    return [tuple(fields[name].decode() for name in names) for _, fields in entries]


def test_each_step_is_on_record_with_who_took_it(admin: Admin, redis: Redis) -> None:
    id_ = add_webhook(admin, URL, tenants=["acme"], types=["reminder.failed"], name="ours")[0].id
    with admin.db() as db:
        add_message(db, [id_], WebhookType.WEBHOOK_DISABLED, NOW, {"webhook": id_, "code": "gone"})
        [message] = [each["id"] for each in newest_messages(db, id_, 1)]

    pause_webhook(admin, id_)
    resume_webhook(admin, id_)
    rotate_webhook(admin, id_, hours=0)
    change_webhook(admin, id_, url="https://new.example.com/in?key=theirs", types=(), name="theirs")
    replay_one(admin, id_, message)
    replay_since(admin, id_, NOW)
    replay_failed(admin, id_)
    remove_webhook(admin, id_)

    old, new = f"{id_}, hooks.example.com", f"{id_}, new.example.com"
    assert events(redis) == [
        ("webhook_added", "acme", f"{old}: told of reminder.failed, of acme", BY),
        ("webhook_paused", "acme", old, BY),
        ("webhook_resumed", "acme", f"{old}: it was paused", BY),
        ("webhook_rotated", "acme", f"{old}: the one before signs for 0 hours", BY),
        (
            "webhook_changed",
            "acme",
            f"{new}: address, before at hooks.example.com; told of everything; name",
            BY,
        ),
        ("webhook_replayed", "acme", f"{new}: {message}", BY),
        (
            "webhook_replayed",
            "acme",
            f"{new}: 1 messages, all since 2026-11-25 15:20 UTC",
            BY,
        ),
        ("webhook_replayed", "acme", f"{new}: 0 messages, all that failed", BY),
        ("webhook_removed", "acme", new, BY),
    ]


def test_one_of_several_tenants_stands_in_the_deployments_history(
    admin: Admin, redis: Redis
) -> None:
    add_webhook(admin, URL, tenants=["acme", "globex"])
    add_webhook(admin, URL, tenants=["*"])
    assert [each[1] for each in events(redis)] == ["*", "*"]


def test_what_changes_nothing_and_what_is_refused_is_not_on_record(
    admin: Admin, redis: Redis
) -> None:
    made, _ = add_webhook(admin, URL, tenants=["acme"])
    redis.delete(redis_keys.EVENTS)
    assert change_webhook(admin, made.id, url=URL, types=["*"], name="") == made
    with pytest.raises(Refused, match="No message"):
        replay_one(admin, made.id, "msg_1_1")
    with pytest.raises(Refused, match="no webhook"):
        pause_webhook(admin, "none")
    assert events(redis) == []
