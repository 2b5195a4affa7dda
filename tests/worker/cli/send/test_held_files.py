"""SQLite's file in the hands of another program.

Whatever command needs it says so at once, with what to do.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., tuple[int, Any]]


@pytest.mark.parametrize(
    "command",
    [
        "tenants add globex",
        "connections add acme --kind service_provider_app",
        "keys create theirs --tenant acme",
    ],
)
def test_who_holds_it_is_another_program_and_it_is_said_soon(
    commands: Run, tmp_path: Path, command: str
) -> None:
    assert commands("tenants", "add", "acme")[0] == 0
    holder = sqlite3.connect(tmp_path / "certmail.sqlite", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    began = time.monotonic()
    status, output = commands(*command.split())
    took = time.monotonic() - began
    holder.close()

    assert (status, output["error"]["code"]) == (3, "database_busy")
    assert "held by another program" in output["error"]["message"]
    assert "certmail.sqlite" in output["error"]["message"]
    assert "once that has let go" in output["error"]["remedy"]
    assert took < 12, "of the patience that a worker has, fifteen seconds"
    assert commands(*command.split())[0] == 0
