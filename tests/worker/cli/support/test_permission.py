"""Each command with each role of CERTMAIL_COMMAND_ROLE: run or refused as the table says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import pytest

from certmail_config.operators.permissions import COMMANDS as ALLOWED
from certmail_config.operators.roles import OperatorRole
from certmail_worker.cli import run_command
from certmail_worker.cli.commands import COMMANDS, Command, Group

MORE = {"doctor --repair"}
"""What an option makes another command of."""


def names(table: Mapping[str, Command | Group] = COMMANDS, before: str = "") -> Iterator[str]:
    for name, each in table.items():
        if isinstance(each, Group):
            yield from names(each.commands, f"{before}{name} ")
        else:
            yield f"{before}{name}"


def code(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Why a command line was refused."""
    capsys.readouterr()
    assert run_command([*arguments, "--json"]) != 0
    return str(json.loads(capsys.readouterr().out)["error"]["code"])


def test_every_command_is_in_the_table_and_no_other() -> None:
    assert set(names()) | MORE == set(ALLOWED)


@pytest.mark.parametrize("role", OperatorRole)
@pytest.mark.parametrize("name", ALLOWED)
def test_a_command_is_for_whom_the_table_says(
    name: str,
    role: OperatorRole,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CERTMAIL_COMMAND_ROLE", str(role))
    # Nothing is really done: whoever may, is told that there is no such option.
    found = code(capsys, *name.split(), "--no-such-option")
    assert found == ("wrong_use" if role.covers(ALLOWED[name]) else "role_missing")


def test_without_a_role_every_command_is_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    assert code(capsys, "operators", "remove", "--no-such-option") == "wrong_use"


def test_a_role_that_there_is_not_is_a_wrong_setting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CERTMAIL_COMMAND_ROLE", "root")
    assert code(capsys, "tenants", "list") == "invalid_settings"


def test_what_a_command_is_for_may_be_asked_by_everybody(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CERTMAIL_COMMAND_ROLE", "viewer")
    assert run_command(["operators", "add", "--help"]) == 0
    assert "Make an account" in capsys.readouterr().out
