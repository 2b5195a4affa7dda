"""`certmail uncertain list`: where it stops, it says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.sql.engine import open_database
from certmail_worker.cli import run_command
from certmail_worker.recording.writer import read_cursor, write
from support.data.events import begun, enqueued, settled


def test_a_list_that_stops_says_how_many_there_are(
    commands: Callable[..., tuple[int, Any]],
    redis: Redis,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert commands("tenants", "add", "acme")[0] == 0
    engine = open_database(f"sqlite:///{tmp_path}/certmail.sqlite")
    events = []
    for n in range(7):
        job = f"j{n}"
        events += [
            enqueued(10 * n + 1, job),
            begun(10 * n + 2, job=job),
            settled(10 * n + 3, "uncertain", "unknown", job=job),
        ]
        redis.hset(redis_keys.JOB + job, mapping={"state": "uncertain", "held": "1"})
    write(engine, read_cursor(engine), events)
    engine.dispose()

    status, output = commands("uncertain", "list", "--limit", "5")
    assert (status, len(output["uncertain"]), output["total"]) == (0, 5, 7)
    assert run_command(["uncertain", "list", "--limit", "5"]) == 0
    assert "5 of 7 shown, the oldest first. All: --limit 7" in capsys.readouterr().err
    assert run_command(["uncertain", "list"]) == 0
    assert "shown" not in capsys.readouterr().err
