"""A deployment with a database of each kind, in which webhooks are sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.settings import Settings


@pytest.fixture
def admin(redis: Redis, redis_url: str, ready_database: str, tmp_path: Path) -> Iterator[Admin]:
    settings = Settings(
        redis_url=redis_url,
        database_url=ready_database,
        data_dir=tmp_path,
        webhook_allow="http://127.0.0.1",
    )
    with open_admin(settings, make_key=True) as made:
        yield made
