"""Commands of certmail's for the price of a fork: start reading here.

A process that has imported what they need becomes each of them in turn.

To what is outside of it each is a process like any other: with its own number, environment, streams
and end.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

SERVER: Final = """
import atexit, faulthandler, gc, importlib, json, os, pkgutil, runpy, signal, socket, sys, threading
from certmail_worker import cli
for each in pkgutil.walk_packages(cli.__path__, cli.__name__ + "."):
    importlib.import_module(each.name)
for name in json.loads(sys.argv[2]):
    importlib.import_module(name)
sys.path.append(sys.argv[3])
gc.freeze()

def serve(asked):
    \"\"\"Gives what is to be run, in the process that is to run it; ends with whoever asks.\"\"\"
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those between
    while True:
        message, fds, _, _ = socket.recv_fds(asked, 1, 4)
        if not message:
            os._exit(0)
        length = int.from_bytes(asked.recv(4, socket.MSG_WAITALL), "big")
        case = json.loads(asked.recv(length, socket.MSG_WAITALL))
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            asked.close()
            *streams, told = fds
            if (child := os.fork()) == 0:
                os.close(told)
                for number, stream in enumerate(streams):
                    os.dup2(stream, number)
                    os.close(stream)
                return case
            for stream in streams:
                os.close(stream)
            os.write(told, b"%d\\n" % child)
            _, status = os.waitpid(child, 0)
            os.write(told, b"%d\\n" % os.waitstatus_to_exitcode(status))
            os._exit(0)
        for each in fds:
            os.close(each)

case = serve(socket.socket(fileno=int(sys.argv[1])))
os.environ.clear()
os.environ.update(case["environment"])
for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
    was = getattr(sys, name)
    now = open(number, mode, encoding=was.encoding, errors=was.errors, closefd=False)
    setattr(sys, name, now)
    setattr(sys, f"__{name}__", now)
if os.environ.get("PYTHONFAULTHANDLER"):
    faulthandler.enable()
exec(case["before"])
sys.argv = ["certmail", *case["arguments"]]
try:
    runpy.run_module(case["module"], run_name="__main__", alter_sys=True)
except SystemExit as ended:
    if not isinstance(ended.code, int | None):
        raise
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit((ended.code or 0) & 0xFF)
"""
"""A command ends as Python's do, but for its last step: to take all modules apart, one by one, would
copy all memory that it shares with the others, which takes longer than most commands.
"""


CERTMAIL: Final = "certmail_worker"
TESTS: Final = Path(__file__).parents[2]
STAYING: Final = (
    "celery.apps.worker",
    "celery.bin.celery",
    "celery.concurrency.base",
    "celery.worker.consumer",
    "certmail.gateway.app",
    "certmail_sandbox.server",
    "certmail_worker.runtime.lifecycle",
    "certmail_worker.runtime.pool",
    "certmail_worker.runtime.transport.transport",
    "kombu.transport.redis",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "uvloop",
)
"""What workers, gateways and the sandbox import, but for the Celery app.

It reads its settings when it is imported.
"""


class Started:
    """A process that goes on by itself; as much of `subprocess.Popen` as tests ask of one."""

    def __init__(self, pid: int, told: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._told = os.fdopen(told, "rb", buffering=0)

    def poll(self) -> int | None:
        """Its exit status, negative for the signal that ended it; None while it runs."""
        if self.returncode is None and select.select([self._told], [], [], 0)[0]:
            self._read()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raises subprocess.TimeoutExpired. `timeout` is in seconds."""
        if self.returncode is None:
            if not select.select([self._told], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            self._read()

        assert self.returncode is not None
        return self.returncode

    def send_signal(self, sig: int) -> None:
        """Send a signal, unless it has ended: its number may be another's by then."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def terminate(self) -> None:
        """Tell it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def _read(self) -> None:
        self.returncode = int(_line(self._told.fileno()))
        self._told.close()


class Commands:
    """Runs commands, several at once if they are asked for by several threads."""

    def __init__(self) -> None:
        self._asking, asked = socket.socketpair()
        own = {
            name: value for name, value in os.environ.items() if not name.startswith("CERTMAIL_")
        }
        command = [
            sys.executable,
            "-c",
            SERVER,
            str(asked.fileno()),
            json.dumps(STAYING),
            str(TESTS),
        ]
        self._server = subprocess.Popen(command, pass_fds=[asked.fileno()], env=own)
        asked.close()
        self._one_at_a_time = threading.Lock()

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], given: bytes, seconds: float
    ) -> tuple[int, bytes, bytes]:
        """Run a command to its end; gives its exit status and what it wrote.

        A negative status is the signal that ended it.
        """
        (stdin, feed), (out, stdout), (err, stderr) = (os.pipe() for _ in range(3))
        told = self._ask(arguments, environment, [stdin, stdout, stderr])
        for each in (stdin, stdout, stderr):
            os.close(each)

        threads = [threading.Thread(target=_feed, args=(feed, given), daemon=True)]
        wrote: dict[int, bytes] = {}
        threads += [
            threading.Thread(target=_drain, args=(each, wrote), daemon=True) for each in (out, err)
        ]
        for thread in threads:
            thread.start()

        with os.fdopen(told, "rb", buffering=0) as answer:
            process = int(_line(answer.fileno()))
            if not select.select([answer], [], [], seconds)[0]:
                os.kill(process, signal.SIGKILL)
                raise subprocess.TimeoutExpired([*arguments], seconds)
            status = int(_line(answer.fileno()))

        for thread in threads[1:]:
            thread.join()
        return status, wrote[out], wrote[err]

    def start(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        out: int,
        err: int,
        *,
        module: str = CERTMAIL,
        before: str = "",
    ) -> Started:
        """Start a command that stays, and reads nothing.

        `out` and `err` are files that are open for writing. `module` may be one of the tests' own,
        `before` is Python that its process executes first.
        """
        with Path(os.devnull).open("rb") as nothing:
            streams = [nothing.fileno(), out, err]
            told = self._ask(arguments, environment, streams, module=module, before=before)
        return Started(int(_line(told)), told)

    def _ask(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        streams: Sequence[int],
        *,
        module: str = CERTMAIL,
        before: str = "",
    ) -> int:
        """Have a command started; gives the file that tells of it.

        It tells the command's number, and in the end its exit status.
        """
        told, telling = os.pipe()
        case = {
            "module": module,
            "arguments": list(arguments),
            "environment": dict(environment),
            "before": before,
        }
        text = json.dumps(case).encode()

        with self._one_at_a_time:
            socket.send_fds(self._asking, [b"+"], [*streams, telling])
            self._asking.sendall(len(text).to_bytes(4, "big") + text)

        os.close(telling)
        return told

    def end(self) -> None:
        """End what becomes commands."""
        self._asking.close()
        self._server.wait(30)


@cache
def commands() -> Commands:
    """One for all tests of a process."""
    made = Commands()
    atexit.register(made.end)
    return made


def _line(file: int) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(file, 1)
        assert piece, "it ended before the command did"
        line += piece
    return line


def _feed(file: int, given: bytes) -> None:
    try:
        with os.fdopen(file, "wb") as to:
            to.write(given)
    except BrokenPipeError:
        return  # it reads no more


def _drain(file: int, wrote: dict[int, bytes]) -> None:
    with os.fdopen(file, "rb") as of:
        wrote[file] = of.read()
