"""Commands in a directory where there is no deployment.

They say so, and name the sandbox that is meant; and nothing is made by looking.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from certmail_worker.cli import run_command

LOOKING = (
    "status 0123456789abcdef01234567",
    "deliveries list",
    "campaigns list",
    "connections list",
    "tenants list",
    "keys list",
    "uncertain list",
    "keys create first --tenant acme",
    "connections setup-link acme",
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Somebody's home directory; what certmail keeps is below it, if anything."""
    for name in ("CERTMAIL_REDIS_URL", "CERTMAIL_DATABASE_URL", "CERTMAIL_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path


def refusal(capsys: pytest.CaptureFixture[str], command: str) -> dict[str, Any]:
    capsys.readouterr()
    assert run_command([*command.split(), "--json"]) == 1, command
    error: dict[str, Any] = json.loads(capsys.readouterr().out)["error"]
    return error


def test_looking_makes_nothing_and_says_how_one_begins(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in LOOKING:
        error = refusal(capsys, command)
        assert (error["code"], error["message"]) == (
            "no_deployment",
            f"There is no deployment in {home / 'certmail'}.",
        )
        assert "`certmail tenants add`" in error["remedy"]
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("given", [None, "mistyped"])
def test_the_sandbox_that_is_meant_is_named(
    home: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    given: str | None,
) -> None:
    sandbox = home / "certmail" / "sandbox"
    sandbox.mkdir(parents=True)
    (sandbox / "sandbox.json").write_text("{}")
    if given:
        monkeypatch.setenv("CERTMAIL_DATA_DIR", str(home / given))

    for command in (*LOOKING, "send -", "doctor"):
        error = refusal(capsys, command)
        assert f"; a sandbox is in {sandbox}." in error["message"]
        assert error["remedy"] == f"export CERTMAIL_DATA_DIR={sandbox}"

    assert [each.name for each in home.rglob("*")] == ["certmail", "sandbox", "sandbox.json"]


def test_the_first_tenant_begins_a_deployment(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["tenants", "add", "acme"]) == 0
    capsys.readouterr()
    assert run_command(["tenants", "list", "--json"]) == 0
    assert [each["id"] for each in json.loads(capsys.readouterr().out)["tenants"]] == ["acme"]
