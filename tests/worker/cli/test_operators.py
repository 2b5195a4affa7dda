"""`certmail operators`: what the commands print, take and refuse."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from certmail_worker.cli import run_command

Run = Callable[..., tuple[int, Any]]
ANN = {
    "name": "ann",
    "role": "viewer",
    "state": "active",
    "address": None,
    "password": True,
}


@pytest.fixture
def certmail(commands: Run) -> Run:
    """Commands, with an operator."""
    assert commands("tenants", "add", "acme")[0] == 0
    assert commands("operators", "add", "ann", "--role", "viewer")[0] == 0
    return commands


def listed(certmail: Run) -> list[dict[str, Any]]:
    status, said = certmail("operators", "list")
    assert status == 0
    return [{n: v for n, v in each.items() if n != "created_at"} for each in said["operators"]]


def test_a_password_is_made_up_and_shown_once(certmail: Run) -> None:
    status, said = certmail("operators", "add", "bob", "--role", "admin")
    assert status == 0
    assert len(said["initial_password"]) == 20
    assert listed(certmail) == [ANN, ANN | {"name": "bob", "role": "admin"}]


def test_a_password_may_come_from_stdin_and_is_not_shown(
    certmail: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("chosen by bob\n"))
    _, said = certmail("operators", "add", "bob", "--role", "admin", "--password-stdin")
    assert said["initial_password"] is None
    monkeypatch.setattr(sys, "stdin", io.StringIO("short\n"))
    status, said = certmail("operators", "reset", "bob", "--password-stdin")
    assert (status, said["error"]["code"]) == (2, "invalid_password")


def test_whoever_signs_in_with_google_needs_no_password(certmail: Run) -> None:
    bob = ("operators", "add", "bob", "--role", "operator", "--no-password")
    assert certmail(*bob)[1]["error"]["code"] == "missing_option"
    status, said = certmail(*bob, "--address", "Bob@Acme.example")
    assert (status, said["address"], said["password"]) == (0, "bob@acme.example", False)


def test_roles_and_states_change(certmail: Run) -> None:
    assert certmail("operators", "role", "ann", "operator")[1]["role"] == "operator"
    assert certmail("operators", "disable", "ann")[1]["state"] == "disabled"
    assert listed(certmail) == [ANN | {"role": "operator", "state": "disabled"}]
    assert certmail("operators", "enable", "ann")[1]["state"] == "active"
    assert certmail("operators", "remove", "Ann") == (0, {"name": "ann", "removed": True})
    assert listed(certmail) == []


@pytest.mark.parametrize("command", ["role", "reset", "disable", "enable", "remove"])
def test_who_is_not_there_is_said(certmail: Run, command: str) -> None:
    more = ["admin"] if command == "role" else []
    status, said = certmail("operators", command, "bob", *more)
    assert (status, said["error"]["code"]) == (1, "unknown_operator")


def test_a_role_that_there_is_not_is_wrong_use(
    certmail: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["operators", "add", "bob", "--role", "root", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "wrong_use"
