"""A process that we start gets no secret that it has no use for.

It makes files for its owner only.
"""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from certmail_worker.processes.children import environment_of

SECRETS = (
    "VAULT_KEYS",
    "DATABASE_URL",
    "OAUTH_CLIENT_SECRET",
    "OPERATOR_PASSWORD",
    "FLOWER_BASIC_AUTH",
)
GIVEN = {f"CERTMAIL_{name}{form}": "secret" for name in SECRETS for form in ("", "_FILE")} | {
    "CERTMAIL_DATA_DIR": "/data",
    "PATH": "/bin",
}


@pytest.mark.parametrize(
    ("command", "needs"),
    [
        ("flower", {"FLOWER_BASIC_AUTH"}),
        ("sandbox", set()),
        ("gateway", {"VAULT_KEYS", "DATABASE_URL", "OAUTH_CLIENT_SECRET", "OPERATOR_PASSWORD"}),
        ("worker", {"VAULT_KEYS", "DATABASE_URL", "OAUTH_CLIENT_SECRET"}),
    ],
)
def test_each_gets_the_secrets_that_it_needs(command: str, needs: set[str]) -> None:
    found = environment_of(["certmail_worker", command], GIVEN)
    secrets = {name for name, value in found.items() if value == "secret"}
    assert secrets == {f"CERTMAIL_{name}{form}" for name in needs for form in ("", "_FILE")}
    assert (found["CERTMAIL_DATA_DIR"], found["PATH"]) == ("/data", "/bin")


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    environment = {"CERTMAIL_DATA_DIR": str(data), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "certmail_worker", "tenants", "add", "acme"]
    subprocess.run(
        command, env=environment, check=True, capture_output=True, timeout=100, umask=0o022
    )
    with sqlite3.connect(data / "certmail.sqlite") as database:
        assert database.execute("SELECT id FROM tenants").fetchall() == [("acme",)]
    database.close()
    made = [path for path in data.rglob("*") if path.is_file()]
    assert made

    open_to_others = [path.name for path in made if stat.S_IMODE(path.stat().st_mode) & 0o077]
    assert open_to_others == []
