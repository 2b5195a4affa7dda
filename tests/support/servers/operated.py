"""A Redis as an operator has it, with `redis-server` and `redis-cli` to run it.

It has a configuration file, a folder and a port.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from support.deployment.deployment import wait_for
from support.processes.documented import run
from support.servers.engines import binary
from support.servers.postgres import Postgres

SQLITE: Final = f"""\
#!{sys.executable}
# What sqlite3's own shell does with `.backup`, where a machine lacks it.
import re, sqlite3, sys
[to] = re.findall(r"^\\.backup '(.*)'$", sys.argv[2])
with sqlite3.connect(sys.argv[1]) as one, sqlite3.connect(to) as other:
    one.backup(other)
"""


@dataclass(frozen=True, slots=True)
class Operated:
    """See the module; `environment` is what its operator's shell has."""

    folder: Path
    url: str
    environment: dict[str, str]

    def start(self) -> None:
        """Start it on the files that are there."""
        run('redis-server "$REDIS_CONF"', self.environment)
        ask = 'until redis-cli -u "$CERTMAIL_REDIS_URL" PING | grep -q PONG; do sleep 0.1; done'
        run(ask, self.environment)

    def kill(self) -> None:
        """As a power cut does."""
        pidfile = self.folder.parent / "redis.pid"
        if not pidfile.exists():
            return
        pid = int(pidfile.read_text("ascii"))
        pidfile.unlink()
        os.kill(pid, signal.SIGKILL)
        wait_for("its end", lambda: not Path(f"/proc/{pid}").exists())

    def destroy(self) -> None:
        """The machine burns down."""
        self.kill()
        shutil.rmtree(self.folder)
        self.folder.mkdir()


@contextmanager
def operated(base: Path, database: str, server: Postgres | None) -> Iterator[Operated]:
    """Run such a Redis for as long as the block.

    The shell knows the database, too, and where backups go.
    """
    folder, programs = base / "redis", base / "bin"
    folder.mkdir(parents=True)
    programs.mkdir()
    _programs(programs, server)

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    lines = [
        f"port {port}",
        "bind 127.0.0.1",
        f"dir {folder}",
        f"pidfile {base}/redis.pid",
        "daemonize yes",
    ]
    lines += [
        "appendonly yes",
        "appendfsync always",
        "maxmemory-policy noeviction",
        f"logfile {base}/redis.log",
    ]

    conf = base / "redis.conf"
    conf.write_text("\n".join([*lines, ""]), "utf-8")
    url = f"redis://127.0.0.1:{port}/0"
    environment = os.environ | {
        "PATH": f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "CERTMAIL_REDIS_URL": url,
        "REDIS_ADMIN_URL": url,
        "REDIS_CONF": str(conf),
        "REDIS_DIR": str(folder),
        "BACKUP": str(base / "backup"),
        "PG_URL": database.replace("postgresql+psycopg:", "postgresql:"),
        "SQLITE": database.removeprefix("sqlite:///"),
    }

    made = Operated(folder, url, environment)
    made.start()

    try:
        yield made
    finally:
        made.kill()


def _programs(folder: Path, server: Postgres | None) -> None:
    (folder / "redis-server").symlink_to(binary("valkey"))
    (folder / "redis-cli").symlink_to(Path(binary("redis-6.2")).with_name("redis-cli"))
    if server is not None:
        for name in ("pg_dump", "pg_restore", "psql"):
            (folder / name).symlink_to(server.program(name))
    elif shutil.which("sqlite3") is None:
        (folder / "sqlite3").write_text(SQLITE, "utf-8")
        (folder / "sqlite3").chmod(0o755)
