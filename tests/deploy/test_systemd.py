"""The systemd units: secrets, restarts, and time to end. `make units` has systemd read them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from certmail_config.settings import FROM_FILES, Settings, file_variable
from certmail_worker.processes.children import NOT_FOR

UNITS: Final = Path(__file__).parents[2] / "deploy" / "systemd"
SERVICES: Final = (
    "certmail-worker@1.service",
    "certmail-gateway.service",
    "certmail-flower.service",
)


def text_of(service: str) -> str:
    return (UNITS / service.replace("@1", "@")).read_text("utf-8")


@pytest.mark.parametrize("service", SERVICES)
def test_it_gets_the_secrets_that_it_needs_and_each_as_a_file(service: str) -> None:
    process = service.removeprefix("certmail-").partition("@")[0].partition(".")[0]
    withheld = {file_variable(name) for name in NOT_FOR[process]}
    given = dict(
        re.findall(r"^Environment=(CERTMAIL_\w+_FILE)=%d/(.+)$", text_of(service), re.MULTILINE)
    )
    loaded = set(
        re.findall(r"^LoadCredential=([a-z-]+):/etc/certmail/", text_of(service), re.MULTILINE)
    )
    assert given
    assert set(given) <= {file_variable(name) for name in FROM_FILES}
    assert not set(given) & withheld
    assert set(given.values()) == loaded


def test_a_drop_in_hands_the_gateway_the_secret_by_which_operators_sign_in_with_google() -> None:
    text = (UNITS / "google-sign-in.conf").read_text("utf-8")
    [(variable, file)] = re.findall(r"^Environment=(CERTMAIL_\w+)=%d/(.+)$", text, re.MULTILINE)
    assert variable == file_variable("OPERATOR_OAUTH_CLIENT_SECRET")
    assert f"LoadCredential={file}:/etc/certmail/credentials/{file}" in text
    assert all(variable in {file_variable(each) for each in NOT_FOR[other]} for other in ("worker", "flower"))  # fmt: skip


@pytest.mark.parametrize("service", SERVICES)
def test_it_comes_back_and_is_left_the_time_to_end(service: str) -> None:
    text = text_of(service)
    assert "Restart=always" in text
    assert "StartLimitIntervalSec=0" in text
    seconds = int(re.findall(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)[0])
    lease = 0 if "flower" in service else Settings().lease_seconds
    assert seconds >= lease + 20


def test_the_shell_has_nothing_to_say_against_the_operators_command() -> None:
    subprocess.run(["sh", "-n", str(UNITS / "certmail-admin")], check=True)


def test_whom_it_is_about_does_not_come_into_the_journal(tmp_path: Path) -> None:
    seen = tmp_path / "systemd-run"
    seen.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    seen.chmod(0o755)
    done = subprocess.run(
        ["sh", str(UNITS / "certmail-admin"), "erase", "ann@example.com"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )

    said = done.stdout.splitlines()
    assert said[-3:] == ["/opt/certmail/bin/certmail", "erase", "ann@example.com"]
    # Without one systemd takes the whole command line for it, and writes that.
    assert "--description=certmail-admin" in said
