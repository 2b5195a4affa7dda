"""The clean Debian that a walk begins with, and what it will download, fetched beforehand.

The machine of the walk has no network, so that what is timed are commands and nothing else, and nothing there can be
reached. How packages are reached here (a proxy, an index, authorities) is taken from apt's and pip's settings,
and stays out of it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from support.data.pages import ROOT
from walk.page import Block

SUITE: Final = "bookworm"
WHEELS: Final = "/var/cache/walk"
_APT: Final = "etc/apt/apt.conf.d/95walk"
_BORROWED: Final = ("/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt")
ALREADY: Final = ("ca-certificates", "dbus", "systemd", "systemd-sysv")
"""What a Debian that somebody was given has, beyond the least."""


def clean_debian(folder: Path, blocks: Sequence[Block]) -> Path:
    """Its folder, made where it is not there yet; what is downloaded are the packages that these blocks install."""
    packages = _packages(blocks)
    lock = (ROOT / "requirements.lock").read_bytes()
    state = hashlib.sha256(lock + " ".join([SUITE, *ALREADY, *packages]).encode()).hexdigest()
    base, stamp = folder / "clean", folder / "clean.stamp"
    if stamp.exists() and stamp.read_text() == state:
        return base

    stamp.unlink(missing_ok=True)
    forget(base)
    folder.mkdir(parents=True, exist_ok=True)
    _make(folder, base)
    _download(folder, base, packages)
    stamp.write_text(state)
    return base


def forget(*folders: Path) -> None:
    """Remove them, and nothing that somebody has left mounted in them."""
    subprocess.run(["rm", "--recursive", "--force", "--one-file-system", *folders], check=True)


def environment() -> dict[str, str]:
    """What pip is told on that machine: to take what was downloaded."""
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": WHEELS, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def copy_repository(to: Path) -> None:
    """This repository as it stands, what is not committed yet included."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    there = [name for name in names if name and (ROOT / os.fsdecode(name)).is_file()]
    packed = subprocess.run(
        ["tar", "--create", "--null", "--files-from=-"],
        cwd=ROOT, input=b"\0".join(there), capture_output=True, check=True,
    ).stdout  # fmt: skip
    to.mkdir(parents=True)
    unpack = ["tar", "--extract", "--no-same-owner", f"--directory={to}"]
    subprocess.run(unpack, input=packed, check=True)


def _packages(blocks: Sequence[Block]) -> list[str]:
    [line] = [
        line
        for each in blocks
        for line in each.commands.splitlines()
        if line.startswith("apt-get install ")
    ]
    return [word for word in line.split()[2:] if not word.startswith("-")]


def _make(folder: Path, base: Path) -> None:
    reached = folder / "apt.conf"
    reached.write_bytes(_output("apt-config", "dump", "Acquire"))
    command = ["mmdebstrap", "--quiet", "--variant=important", f"--include={','.join(ALREADY)}"]
    packed = folder / "clean.tar"
    subprocess.run([*command, f"--aptopt={reached}", SUITE, packed], check=True)
    base.mkdir()
    subprocess.run(["tar", "--extract", "--preserve-permissions", "--numeric-owner", f"--directory={base}", f"--file={packed}"], check=True)  # fmt: skip
    packed.unlink()
    for written in (base / "etc/apt/apt.conf.d").glob("99mmdebstrap"):
        written.unlink()


def _download(folder: Path, base: Path, packages: Sequence[str]) -> None:
    """Packages into apt's own cache; wheels for the Python that these packages bring."""
    shutil.copy(folder / "apt.conf", base / _APT)
    get = ["apt-get", "--quiet=2"]
    install = [*get, "install", "--yes", "--no-install-recommends"]
    with _borrowed(base):
        subprocess.run(["chroot", base, *get, "update"], check=True)
        subprocess.run(["chroot", base, *install, "--download-only", *packages], check=True)

    # Another layer, which goes again: nothing is installed on the clean one.
    layers = [folder / name for name in ("above", "work", "root")]
    forget(*layers)
    for each in layers:
        each.mkdir()
    above, work, root = layers
    options = f"lowerdir={base},upperdir={above},workdir={work}"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, root], check=True)
    try:
        with _borrowed(root):
            quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            subprocess.run(["chroot", root, *install, "python3-venv"], check=True, env=quiet, stdout=subprocess.DEVNULL)  # fmt: skip
            subprocess.run(["chroot", root, "python3", "-m", "venv", "/tmp/venv"], check=True)
            shutil.copy(ROOT / "requirements.lock", root / "tmp")
            _fetch_wheels(root)
        shutil.copytree(root / WHEELS[1:], base / WHEELS[1:])
    finally:
        subprocess.run(["umount", root], check=True)
    (base / _APT).unlink()


def _fetch_wheels(root: Path) -> None:
    command = [sys.executable, "-m", "pip", "config", "list"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    kept = dict(re.findall(r"^\S*\.(index-url|proxy|trusted-host)='(.*)'$", asked, re.MULTILINE))
    given = {f"PIP_{name.upper().replace('-', '_')}": value for name, value in kept.items()}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    command = ["/tmp/venv/bin/pip", "download", "--quiet", "--require-hashes", "--no-deps"]
    subprocess.run(
        ["chroot", root, *command, f"--dest={WHEELS}", "--requirement=/tmp/requirements.lock"],
        env=inherited | given | {"PIP_CERT": _BORROWED[1]}, check=True,
    )  # fmt: skip


@contextmanager
def _borrowed(root: Path) -> Iterator[None]:
    """For the time of the block it has this machine's resolver and authorities."""
    mounted: list[Path] = []
    try:
        for each in _BORROWED:
            at = root / each[1:]
            at.touch()
            subprocess.run(["mount", "--bind", each, at], check=True)
            mounted.append(at)
        yield
    finally:
        for at in mounted:
            subprocess.run(["umount", at], check=True)


def _output(*words: str) -> bytes:
    return subprocess.run(words, capture_output=True, check=True).stdout
