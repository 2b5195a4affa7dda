"""Commands run in the test's own process.

They use the shared server, and a data directory of the test's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from certmail_worker.cli import run_command


@pytest.fixture
def commands(
    redis: Redis,
    redis_url: str,
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., tuple[int, Any]]:
    """Run a command as a program does; gives its exit status and its JSON."""
    monkeypatch.setenv("CERTMAIL_REDIS_URL", redis_url)
    monkeypatch.setenv("CERTMAIL_DATA_DIR", str(data_dir))

    def run(*arguments: str) -> tuple[int, Any]:
        capsys.readouterr()
        status = run_command([*arguments, "--json"])
        return status, json.loads(capsys.readouterr().out)

    return run
