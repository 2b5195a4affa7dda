"""Many command lines for the price of one, each with streams of its own.

A process that has imported everything forks for each. `commands.py` is simpler, and enough where
streams are not what is tested.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

Stream = Literal["pipe", "closed", "full", "left"]
SECONDS: Final = 20

SERVER: Final = """
import gc, importlib, json, os, pkgutil, signal, sys
from certmail_worker import cli
for each in pkgutil.walk_packages(cli.__path__, f"{cli.__name__}."):
    importlib.import_module(each.name)

def become(case, out, err):
    os.environ.clear()
    os.environ.update(case["environment"])
    os.chdir(case["folder"])
    ends = {"pipe": (out, err)}
    streams = {0: case["stdin"], 1: case["stdout"], 2: case["stderr"]}
    pipes = {1: out, 2: err}
    for number, how in streams.items():
        os.close(number)
        if how == "pipe":
            os.dup2(pipes[number] if number else os.open(os.devnull, os.O_RDONLY), number)
        elif how == "full":
            os.dup2(os.open("/dev/full", os.O_WRONLY), number)
        elif how == "left":
            reading, writing = os.pipe()
            os.close(reading)
            os.dup2(writing, number)
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        closed = streams[number] == "closed"
        errors = "backslashreplace" if number == 2 else "strict"
        setattr(sys, name, None if closed else open(number, mode, encoding=case["encoding"], errors=errors, closefd=False))
    if "closed" in streams.values():
        for number, how in streams.items():
            if how == "closed":
                try:
                    os.close(number)
                except OSError:
                    pass
    sys.argv = ["certmail", *case["arguments"]]
    signal.alarm(case["seconds"])
    from certmail_worker.cli import main
    main()

for line in sys.stdin:
    case = json.loads(line)
    read_out, out = os.pipe()
    read_err, err = os.pipe()
    child = os.fork()
    if child == 0:
        status = 99
        try:
            os.close(read_out); os.close(read_err)
            become(case, os.dup(out), os.dup(err))
        except SystemExit as left:
            status = left.code or 0
        except BaseException:
            import traceback
            os.write(err, traceback.format_exc().encode())
        finally:
            for stream in (sys.stdout, sys.stderr):
                try:
                    stream.flush()
                except Exception as error:
                    os.write(err, f"Traceback at the end: {error!r}".encode())
            os._exit(status)
    os.close(out); os.close(err)
    import selectors
    said = {read_out: b"", read_err: b""}
    watch = selectors.DefaultSelector()
    for each in said:
        watch.register(each, selectors.EVENT_READ)
    while watch.get_map():
        for key, _ in watch.select():
            if got := os.read(key.fd, 65536):
                said[key.fd] += got
            else:
                watch.unregister(key.fd)
                os.close(key.fd)
    _, status = os.waitpid(child, 0)
    print(json.dumps([os.waitstatus_to_exitcode(status), said[read_out].decode("utf-8", "replace"), said[read_err].decode("utf-8", "replace")]), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Case:
    """A command line, and what it runs in."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    folder: str
    stdin: Stream = "pipe"
    stdout: Stream = "pipe"
    stderr: Stream = "pipe"
    encoding: str = "utf-8"
    seconds: int = field(default=SECONDS)


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command line said, and its exit status; negative where a signal ended it."""

    status: int
    out: str
    err: str


class Forks:
    """Runs one case after the other."""

    def __init__(self, server: subprocess.Popen[str]) -> None:
        self._server = server

    def run(self, case: Case) -> Ended:
        """Run a case to its end."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(asdict(case)) + "\n")
        self._server.stdin.flush()
        answer: list[Any] = json.loads(self._server.stdout.readline())
        return Ended(*answer)


@contextmanager
def forks() -> Iterator[Forks]:
    """A process that forks, until the block ends."""
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as server:
        try:
            yield Forks(server)
        finally:
            assert server.stdin is not None
            server.stdin.close()
