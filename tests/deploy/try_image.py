"""Tries an unpacked image as production runs it: by runc, read-only, as its own user, without a network.

`python3 try_image.py ROOT FOLDER INSPECTED`: the unpacked image, a folder to work in, and what `buildah
inspect` says of the image. Python's own library only: it runs before anything is installed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

MAX_BYTES: Final = 200_000_000
DEMO_SECONDS: Final = 480
SANDBOX_SECONDS: Final = 180
UNWANTED: Final = frozenset(
    {
        "apt",
        "apt-get",
        "as",
        "bash",
        "busybox",
        "cc",
        "curl",
        "dash",
        "dpkg",
        "gcc",
        "ld",
        "make",
        "perl",
        "pip",
        "pip3",
        "sh",
        "wget",
    }
)
"""Programs that would help whoever broke in, and nobody else."""
WHO_AND_WHERE: Final = """
import importlib.util, json, os, ssl
def writable(path):
    try:
        open(path + "/probe", "w").close()
    except OSError as error:
        return error.strerror
    return "writable"
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
print(json.dumps({
    "uid": os.getuid(), "gid": os.getgid(), "capabilities": int(status["CapEff"], 16) | int(status["CapPrm"], 16),
    "no_new_privileges": int(status["NoNewPrivs"]), "pip": importlib.util.find_spec("pip") is not None,
    "folders": {path: writable(path) for path in ("/", "/etc", "/opt/certmail", "/usr/bin", "/tmp", "/var/lib/certmail")},
    "authorities": len(ssl.create_default_context().get_ca_certs()),
}))
"""

WHERE_GOOGLE_LEADS: Final = """
import json
from pathlib import Path
from certmail_config.settings import Settings
settings = Settings.from_env(data_dir=Path("/var/lib/certmail/sandbox"))
print(json.dumps({
    "sandbox_url": settings.sandbox_url, "redirect": settings.callback_url, "listen": settings.listen,
}))
"""


class Image:
    """An unpacked image, and what it says of itself."""

    def __init__(self, root: Path, folder: Path, inspected: Mapping[str, Any]) -> None:
        self.root = root
        self.config: Mapping[str, Any] = inspected["Docker"]["config"]
        self._folder = folder
        self._runs = 0

    def bytes(self) -> int:
        """How much all its files have in them, a file with two names once."""
        seen = {(at.st_dev, at.st_ino): at.st_size for at in self._stats()}
        return sum(seen.values())

    def _stats(self) -> Iterator[os.stat_result]:
        for folder, _, names in os.walk(self.root):
            for name in names:
                yield os.lstat(os.path.join(folder, name))  # noqa: PTH118 - half the time of a Path

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run to its end what the image would run with these arguments, or a program of it."""
        name, command = self._prepare(arguments, environment or {})
        return subprocess.run(
            [*command, "run", "--bundle", str(self._folder / name), name],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEMO_SECONDS, check=False,
        )  # fmt: skip

    @contextmanager
    def running(
        self, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> Iterator[Sequence[str]]:
        """Run it for the time of the block; gives the command that runs another beside it."""
        name, command = self._prepare(arguments, environment)
        process = subprocess.Popen(
            [*command, "run", "--bundle", str(self._folder / name), name],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        try:
            assert process.stdout.readline(), f"{arguments} ended at once"
            yield [*command, "exec", name]
        finally:
            subprocess.run([*command, "kill", name, "TERM"], check=False)
            process.wait(60)
            process.stdout.close()

    def _prepare(
        self, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> tuple[str, list[str]]:
        self._runs += 1
        name = f"certmail-try-{os.getpid()}-{self._runs}"
        bundle = self._folder / name
        bundle.mkdir(parents=True)
        (bundle / "config.json").write_text(json.dumps(self._specification(arguments, environment)))
        runc = ["runc", "--root", str(self._folder / "state")]
        return name, runc

    def _specification(
        self, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> dict[str, Any]:
        """As a Deployment with readOnlyRootFilesystem, all capabilities dropped and two emptyDirs."""
        uid, gid = (int(each) for each in self.config["User"].split(":"))
        own = f"uid={uid},gid={gid},mode=0700"
        program = [] if arguments[0].startswith("/") else self.config["Entrypoint"]
        given = [*self.config["Env"], *(f"{name}={value}" for name, value in environment.items())]

        return {
            "ociVersion": "1.0.2",
            "root": {"path": str(self.root), "readonly": True},
            "hostname": "certmail",
            "process": {
                "terminal": False,
                "user": {"uid": uid, "gid": gid},
                "args": [*program, *arguments],
                "env": given,
                "cwd": self.config["WorkingDir"],
                "capabilities": {
                    each: []
                    for each in ("bounding", "effective", "inheritable", "permitted", "ambient")
                },
                "noNewPrivileges": True,
            },
            "mounts": [
                _mount("/proc", "proc", "nosuid,noexec,nodev"),
                _mount("/dev", "tmpfs", "nosuid,strictatime,mode=755,size=65536k"),
                _mount("/dev/shm", "tmpfs", "nosuid,noexec,nodev,mode=1777,size=65536k"),
                _mount("/tmp", "tmpfs", "nosuid,nodev,noexec,mode=1777"),
                _mount("/var/lib/certmail", "tmpfs", f"nosuid,nodev,noexec,{own}"),
            ],
            "linux": {
                "namespaces": [
                    {"type": each} for each in ("pid", "network", "ipc", "uts", "mount")
                ],
                "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list"],
                "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"],
            },
        }


def _mount(at: str, kind: str, options: str) -> dict[str, Any]:
    return {"destination": at, "type": kind, "source": kind, "options": options.split(",")}


def check_content(image: Image) -> None:
    """It is small, says what it is, and holds nothing that only builds."""
    size = image.bytes()
    say(f"{size / 1e6:.1f} MB unpacked")
    assert size < MAX_BYTES, f"it must have less than {MAX_BYTES / 1e6:.0f} MB"

    labels = image.config["Labels"]
    said = {name: labels[f"org.opencontainers.image.{name}"] for name in ("version", "revision")}
    assert all(value not in {"", "0", "unknown"} for value in said.values()), said
    assert image.config["User"] == "10001:10001"

    programs = {
        path.name
        for folder in ("usr/bin", "usr/sbin", "usr/local/bin", "opt/certmail/bin")
        for path in (image.root / folder).glob("*")
    }
    assert not programs & UNWANTED, programs & UNWANTED
    assert "certmail" in programs
    left = [
        path for path in ("run/secrets", "etc/pip.conf", "etc/apt") if (image.root / path).exists()
    ]
    assert not left, f"secrets of the build are left: {left}"
    say(
        f"version {said['version']}, revision {said['revision'][:12]}; programs: {', '.join(sorted(programs))}"
    )


def check_rights(image: Image) -> None:
    """It is somebody who may nothing, and writes nowhere but where it is meant to."""
    done = image.run(["/opt/certmail/bin/python3", "-c", WHO_AND_WHERE])
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    folders = found.pop("folders")

    assert folders.pop("/tmp") == folders.pop("/var/lib/certmail") == "writable"
    assert set(folders.values()) == {"Read-only file system"}, folders
    assert found.pop("authorities") > 100, "certificates of authorities are missing"
    assert found == {
        "uid": 10001,
        "gid": 10001,
        "capabilities": 0,
        "no_new_privileges": 1,
        "pip": False,
    }, found
    say("read-only, not root, without capabilities")


def check_health(image: Image) -> None:
    """HEALTHCHECK sees whether the process that runs answers."""
    check = image.config["Healthcheck"]["Test"][1:]
    listen = {"CERTMAIL_SANDBOX_LISTEN": "127.0.0.1:8090"}

    with image.running(["sandbox"], listen) as beside:
        well = subprocess.run([*beside, *check], capture_output=True, text=True, check=False)
    assert well.returncode == 0, well.stdout + well.stderr
    assert "127.0.0.1:8090/ answers" in well.stdout, well.stdout

    with image.running(["sandbox"], listen) as beside:
        elsewhere = ["--env", "CERTMAIL_SANDBOX_LISTEN=127.0.0.1:8091"]
        ill = subprocess.run([*beside[:-1], *elsewhere, beside[-1], *check], capture_output=True, text=True, check=False)  # fmt: skip
    assert ill.returncode == 1, ill.stdout + ill.stderr
    say("HEALTHCHECK tells one that answers from one that does not")


def check_sandbox(image: Image) -> None:
    """As compose.yaml's sandbox it listens on every network, and names addresses of this machine."""
    given = {"LISTEN": 18080, "SANDBOX_LISTEN": 18090, "FLOWER_LISTEN": 15555}
    environment = {f"CERTMAIL_{name}": f"0.0.0.0:{port}" for name, port in given.items()}
    check, until = image.config["Healthcheck"]["Test"][1:], time.monotonic() + SANDBOX_SECONDS

    with image.running(["up", "--sandbox"], environment) as beside:
        while subprocess.run([*beside, *check], capture_output=True, check=False).returncode:
            assert time.monotonic() < until, "the sandbox is not well in time"
            time.sleep(1)
        looked = [*beside, "/opt/certmail/bin/python3", "-c", WHERE_GOOGLE_LEADS]
        seen = subprocess.run(looked, capture_output=True, text=True, check=False)

    assert seen.returncode == 0, seen.stdout + seen.stderr
    assert json.loads(seen.stdout) == {
        "sandbox_url": "http://127.0.0.1:18090",
        "redirect": "http://127.0.0.1:18080/oauth/google/callback",
        "listen": "0.0.0.0:18080",
    }
    say("the sandbox runs in it, at addresses that are the same inside and outside")


def check_demo(image: Image) -> None:
    """The demo runs in it, whole."""
    began = time.monotonic()
    done = image.run(["demo"])
    sys.stderr.write(done.stdout)
    assert done.returncode == 0, done.stderr
    say(f"the demo ran in it, in {time.monotonic() - began:.0f} s")


def say(sentence: str) -> None:
    """Say what was seen."""
    sys.stderr.write(f"  {sentence}\n")


if __name__ == "__main__":
    inspected = json.loads(Path(sys.argv[3]).read_text("utf-8"))
    tried = Image(Path(sys.argv[1]), Path(sys.argv[2]), inspected)
    for check in (check_content, check_rights, check_health, check_sandbox, check_demo):
        check(tried)
