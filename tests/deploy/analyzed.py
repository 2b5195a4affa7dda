"""The systemd units: systemd itself reads them, and says how much they leave open.

`make units` runs it, where there is a `systemd-analyze`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

UNITS: Final = Path(__file__).parents[2] / "deploy" / "systemd"
SERVICES: Final = (
    "certmail-worker@1.service",
    "certmail-gateway.service",
    "certmail-flower.service",
)
MOST_EXPOSED: Final = 2.0


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
