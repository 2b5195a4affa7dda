"""Releases of certmail to run: this checkout, and an earlier commit in an environment of its own.

The earlier one's is built from that commit's own lock, under `.upgrade/`, once.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
BUILT: Final = ROOT / ".upgrade"


class NotBuiltError(Exception):
    """An earlier release cannot be had here; its text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Release:
    """A release: its name in the report, its interpreter, and where its modules are, if not there."""

    name: str
    python: str
    path: str | None = None

    def environment(self, given: dict[str, str]) -> dict[str, str]:
        """What a process of it is given: nothing leads it to the other's modules."""
        kept = {name: value for name, value in given.items() if name != "PYTHONPATH"}
        return kept | ({"PYTHONPATH": self.path} if self.path else {})


def this_release() -> Release:
    """The checkout that this is part of, as it runs now."""
    return Release("new", sys.executable, os.environ.get("PYTHONPATH"))


def release_of(commit: str, say: Callable[[str], None]) -> Release:
    """An earlier commit's; raises NotBuiltError."""
    folder = BUILT / commit
    python, stamp = folder / "venv" / "bin" / "python", folder / "built.stamp"
    if not stamp.exists():
        say(
            f"Building {commit} from its own lock in {folder.relative_to(ROOT)} (once, a minute or two)"
        )
        _build(commit, folder, python)
        stamp.touch()

    return Release("old", str(python))


def first_with_tables(version: str) -> str:
    """The commit in which the tables became what they are; raises NotBuiltError.

    Whatever was committed since then has the same ones: it may be gone back to.
    """
    command = [
        "git",
        "-C",
        str(ROOT),
        "log",
        "--format=%H",
        "--diff-filter=A",
        "--",
        f"*/versions/{version}_*.py",
    ]
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    if not found:
        raise NotBuiltError(
            f"No commit of this clone has the tables {version}: commit them, or fetch the whole history."
        )
    return found[-1]


def _build(commit: str, folder: Path, python: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    source = folder / "source"
    source.mkdir(parents=True)
    command = ["git", "-C", str(ROOT), "archive", commit]
    archive = subprocess.run(command, capture_output=True, check=False)
    if archive.returncode != 0:
        message = (
            f"The commit {commit} is not in this clone: {archive.stderr.decode().strip()}. "
            "Fetch the whole history (git fetch --unshallow)."
        )
        raise NotBuiltError(message)
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(source, filter="data")

    pip = [
        str(python),
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--quiet",
        "install",
        "--no-deps",
    ]
    for command in (
        [sys.executable, "-m", "venv", str(folder / "venv")],
        [*pip, "--require-hashes", "-r", str(source / "requirements.lock")],
        [*pip, "--no-build-isolation", "--editable", str(source)],
    ):
        clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=clean)
        if done.returncode != 0:
            message = f"{commit} cannot be installed from its lock: {done.stderr.strip()[-2000:]}"
            raise NotBuiltError(message)
