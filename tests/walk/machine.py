"""A machine with a clean Debian on it: systemd's container, with a network of its own and nothing else in it.

What is written goes into a layer above the clean one, so that each walk begins where the first began.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from pathlib import Path
from threading import Timer
from typing import Final

BOOT_SECONDS: Final = 120
LONGEST_SECONDS: Final = 900
PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_END: Final = "@@ end of the block"
# The first command that fails ends the shell, and says which it was.
_STRICT: Final = """set -Eeo pipefail
trap 'echo "@@ this failed, with status $?: $BASH_COMMAND"' ERR
"""


class Stumbled(Exception):
    """A command failed, or the machine did; the text is what was seen."""


class Machine:
    """One that runs, until `end`. `root` is its file system, as it is seen from outside."""

    def __init__(self, base: Path, folder: Path, environment: dict[str, str]) -> None:
        self.root = folder / "root"
        self._folder = folder
        self._environment = environment
        layers = [folder / "above", folder / "work"]
        for each in layers:
            shutil.rmtree(each, ignore_errors=True)
        for each in [*layers, self.root]:
            each.mkdir(parents=True, exist_ok=True)

        options = f"lowerdir={base},upperdir={layers[0]},workdir={layers[1]}"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, self.root], check=True)

    def start(self) -> None:
        """Switch it on, wait until it has booted, and sign in as root."""
        command = ["systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit"]
        own = [
            "--private-network",
            "--resolv-conf=off",
            "--machine=walk",
            f"--directory={self.root}",
        ]
        with (self._folder / "boot.log").open("ab") as log:
            self._container = subprocess.Popen(
                [*command, *own], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

        until = time.monotonic() + BOOT_SECONDS
        while not self._has_booted():
            if self._container.poll() is not None or time.monotonic() > until:
                raise Stumbled((self._folder / "boot.log").read_text(errors="replace")[-2000:])
            time.sleep(0.2)
        self._sign_in()

    def restart(self) -> None:
        """As `systemctl reboot` does; with --keep-unit the container then ends, and is begun again."""
        # Nobody stays signed in: the machine would wait for who came in from outside.
        self._type("systemctl reboot </dev/null\nexit\n")
        self._container.wait(BOOT_SECONDS)
        self._shell.wait(BOOT_SECONDS)
        self.start()

    def run(self, commands: str) -> str:
        """Type commands into the one shell, in which all before them were typed; gives what is seen."""
        (self.root / "root/block.sh").write_text(commands, "utf-8")
        self._type(f"source /root/block.sh </dev/null; echo; echo '{_END}'\n")
        too_long = Timer(LONGEST_SECONDS, self._shell.kill)
        too_long.start()

        seen: list[str] = []
        assert self._shell.stdout is not None
        try:
            for line in self._shell.stdout:
                if line.rstrip() == _END:
                    return "".join(seen).removesuffix("\n")
                seen.append(line)
        finally:
            too_long.cancel()
        raise Stumbled("".join(seen))

    def end(self) -> None:
        """Switch it off; its files go with it."""
        shell = getattr(self, "_shell", None)
        if shell is not None:
            shell.kill()  # it would wait for who came in from outside
        container = getattr(self, "_container", None)
        if container is not None and container.poll() is None:
            container.send_signal(signal.SIGTERM)  # asks it to power off
            try:
                container.wait(60)
            except subprocess.TimeoutExpired:
                container.kill()
                container.wait()
        subprocess.run(["umount", self.root], check=False)
        for each in ("above", "work"):
            shutil.rmtree(self._folder / each, ignore_errors=True)

    def _leader(self) -> str | None:
        """The number of its first process, where it has one."""
        number = self._container.pid
        try:
            children = Path(f"/proc/{number}/task/{number}/children").read_text().split()
        except OSError:
            return None
        return children[0] if children else None

    def _enter(self, *words: str) -> list[str]:
        leader = self._leader()
        if leader is None:
            raise Stumbled("It does not run.")
        into = [f"--{each}" for each in ("mount", "uts", "ipc", "net", "pid", "cgroup")]
        known = [f"{name}={value}" for name, value in self._environment.items()]
        who = ["HOME=/root", "TERM=dumb", f"PATH={PATH}"]
        return ["nsenter", f"--target={leader}", *into, "env", "-i", *who, *known, *words]

    def _has_booted(self) -> bool:
        if self._leader() is None:
            return False
        asked = subprocess.run(
            self._enter("systemctl", "is-system-running"),
            capture_output=True,
            text=True,
            check=False,
        )
        return asked.stdout.strip() in {"running", "degraded"}

    def _sign_in(self) -> None:
        self._shell = subprocess.Popen(
            self._enter("bash", "--norc"), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace",
        )  # fmt: skip
        self._type(f"cd /root\n{_STRICT}")

    def _type(self, text: str) -> None:
        assert self._shell.stdin is not None
        self._shell.stdin.write(text)
        self._shell.stdin.flush()
