"""`certmail doctor --repair` beside an empty Redis.

What it would declare lost may be in a copy that nobody has put back.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.settings import Settings
from certmail_worker.cli import run_command
from certmail_worker.doctor.unused_copy import ASK_FOR_COPY
from certmail_worker.recording.writer import (
    RecordPosition,
    read_cursor,
    read_position,
    write,
    write_position,
)
from support.data.events import enqueued, settled
from support.servers.engines import running

Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def server() -> Iterator[Redis]:
    """An empty one of its operator's own, on this machine."""
    with running("valkey") as client:
        client.config_set("appendfsync", "always")
        yield client


@pytest.fixture
def certmail(
    server: Redis,
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    url = f"unix://{server.connection_pool.connection_kwargs['path']}"
    monkeypatch.setenv("CERTMAIL_REDIS_URL", url)
    monkeypatch.setenv("CERTMAIL_DATA_DIR", str(data_dir))
    with open_admin(Settings.from_env(), make_key=True) as admin:
        record(admin)

    def run(*arguments: str) -> tuple[int, Any]:
        capsys.readouterr()
        status = run_command([*arguments, "--json"])
        return status, json.loads(capsys.readouterr().out)

    return run


def record(admin: Admin) -> None:
    """One reminder that has left, and one that had not; Redis had both."""
    cursor = read_cursor(admin.engine)
    events = [
        enqueued(1),
        settled(2, "accepted", "accepted"),
        enqueued(3, "waits", dedupe="acme:w"),
    ]
    write(admin.engine, cursor, events)
    now = read_position(admin.engine)
    write_position(admin.engine, now, RecordPosition(now.cursor, "the former", now.seen_at))


def snapshot(server: Redis) -> Path:
    config: Any = server.config_get("dir")
    path = Path(config["dir"]) / "dump.rdb"
    path.write_bytes(b"REDIS0011 and so on")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return path


def lineage(certmail: Run) -> str:
    [found] = [each for each in certmail("doctor")[1]["findings"] if each["check"] == "lineage"]
    assert found["severity"] == "error"
    return str(found["message"])


def test_a_snapshot_that_was_not_read_is_named(server: Redis, certmail: Run) -> None:
    assert "dump.rdb" not in lineage(certmail)
    path = snapshot(server)
    assert f"{path} (19 bytes, of 2023-11-14T22:13:20+00:00) was not read" in lineage(certmail)


def test_one_that_the_server_wrote_itself_is_none(server: Redis, certmail: Run) -> None:
    server.save()
    assert "dump.rdb" not in lineage(certmail)


def test_nothing_is_declared_lost_before_somebody_said_that_there_is_no_copy(
    server: Redis, certmail: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    status, output = certmail("doctor", "--repair", "--yes")
    assert (status, output["repair"]["carried_out"], output["repair"]["doubt"]) == (
        1,
        False,
        ASK_FOR_COPY,
    )
    assert run_command(["doctor", "--repair", "--yes"]) == 1
    printed = capsys.readouterr()
    assert "Is there a copy of it, a dump.rdb" in printed.out
    assert "Add --without-copy to do it." in printed.err

    path = snapshot(server)
    assert run_command(["doctor", "--repair"]) == 1
    printed = capsys.readouterr()
    assert str(path) in printed.out
    assert "Add --yes and --without-copy to do it." in printed.err
    assert run_command(["doctor", "--without-copy"]) == 2


def test_then_it_is_done_and_what_was_done_is_said(certmail: Run) -> None:
    _, output = certmail("doctor", "--repair", "--yes", "--without-copy")
    assert output["repair"]["carried_out"]
    assert output["repair"]["jobs"]["settle"] == ["j"]
    assert output["repair"]["jobs"]["hold"] + output["repair"]["jobs"]["lose"] == ["waits"]
