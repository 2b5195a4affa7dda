"""What `certmail doctor` finds where something is away.

With a whole deployment it is tried in tests/end_to_end/running/test_doctor.py.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.settings import Settings
from certmail_worker.doctor.diagnosis import examine

AWAY = "postgresql+psycopg://nobody@127.0.0.1:1/nowhere"


@pytest.mark.parametrize("database", [None, AWAY], ids=["with the database", "without it"])
def test_a_ledger_that_is_ahead_of_the_clock_is_told_of(
    redis: Redis, redis_url: str, tmp_path: Path, database: str | None
) -> None:
    redis.set(redis_keys.CLOCK, round((time.time() + 600) * 1000))
    found = examine(Settings(redis_url=redis_url, database_url=database, data_dir=tmp_path))
    [clocks] = [finding for finding in found if finding.check == "clocks"]
    assert "ahead of Redis's clock" in clocks.message
    broken = {finding.check for finding in found if finding.message.startswith("The database")}
    assert broken == ({"database"} if database else set())
