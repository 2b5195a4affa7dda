"""The systemd units: systemd itself reads them, and says how much they leave open."""

from __future__ import annotations

import json
import re
import shutil
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
MOST_EXPOSED: Final = 2.0

pytestmark = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="needs systemd-analyze, of Debian's systemd"
)


def text_of(service: str) -> str:
    return (UNITS / service.replace("@1", "@")).read_text("utf-8")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A machine on which they are installed, as docs/deploying.md says."""
    root = tmp_path_factory.mktemp("root")
    shutil.copytree("/usr/lib/systemd/system", root / "usr/lib/systemd/system", symlinks=True)
    shutil.copytree(
        UNITS,
        root / "etc/systemd/system",
        ignore=shutil.ignore_patterns("certmail-admin", "sysusers.conf"),
    )
    program = root / "opt/certmail/bin/certmail"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    return root


@pytest.mark.parametrize("unit", [*SERVICES, "certmail.target"])
def test_systemd_has_nothing_to_say_against_it(root: Path, unit: str) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", f"--root={root}", "--man=no", unit],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("service", SERVICES)
def test_it_leaves_little_open(root: Path, service: str) -> None:
    command = ["systemd-analyze", "security", "--offline=true", f"--root={root}", "--no-pager"]
    threshold = f"--threshold={MOST_EXPOSED * 10:.0f}"
    done = subprocess.run(
        [*command, threshold, "--json=short", service], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    left = {each["name"] for each in json.loads(done.stdout) if each["set"] is False}
    assert not left & {"NoNewPrivileges=", "ProtectSystem=", "MemoryDenyWriteExecute="}


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
