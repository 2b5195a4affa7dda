"""Processes that `certmail up` and `certmail demo` start, and see to the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from certmail_config.base.errors import Refused
from certmail_config.settings import PREFIX, file_variable

STOP_SECONDS = 60
_VAULT, _OAUTH = ("VAULT_KEYS", "DATABASE_URL"), ("OAUTH_CLIENT_SECRET", "GOOGLE_PROXY")
_OPERATORS = ("OPERATOR_PASSWORD", "OPERATOR_OAUTH_CLIENT_SECRET")
NOT_FOR: Final = {
    "flower": (*_VAULT, *_OAUTH, *_OPERATORS),
    "sandbox": (*_VAULT, *_OAUTH, *_OPERATORS, "FLOWER_BASIC_AUTH", "REDIS_URL"),
    "gateway": ("FLOWER_BASIC_AUTH",),
    "worker": ("FLOWER_BASIC_AUTH", *_OPERATORS),
}
"""The secrets that a process has no use for, and is not given."""


def environment_of(command: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process of ours, without the secrets that it has no use for."""
    secrets = NOT_FOR.get(command[1] if len(command) > 1 else "", ())
    withheld = {each for name in secrets for each in (f"{PREFIX}{name}", file_variable(name))}
    return {name: value for name, value in given.items() if name not in withheld}


def _without_files_of(given: Mapping[str, str]) -> dict[str, str]:
    """The environment, without the files of settings that are given: both would be refused."""
    dropped = {f"{name}_FILE" for name in given}
    return {name: value for name, value in os.environ.items() if name not in dropped}


class Child:
    """One process of ours.

    It ignores the terminal's Ctrl-C, so that its parent stops it in the right order.
    """

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str], log: Path | None
    ) -> None:
        self.arguments = arguments
        self._log = log.open("ab") if log else None

        # Our own program.
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", *arguments],
            env=environment_of(arguments, {**_without_files_of(environment), **environment}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if log else None,
            stderr=self._log,
            start_new_session=True,
        )

    def first_line(self) -> str:
        """What it says first; raises Refused if it ends instead."""
        assert self.process.stdout is not None, "only a child with a log has one"
        line = self.process.stdout.readline().decode().strip()
        if not line:
            status = self.process.wait()
            said = f" Its log: {self._log.name}" if self._log else ""
            raise Refused(
                "child_failed",
                f"`{' '.join(self.arguments)}` ended at once with status {status}.{said}",
            )

        # As a process with a log of JSON lines says it.
        return str(json.loads(line)["address"]) if line.startswith("{") else line

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Ask it to end, and see that it does."""
        if self.alive:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()

        if self.process.stdout is not None:
            self.process.stdout.close()
        if self._log is not None:
            self._log.close()


@contextmanager
def child(
    arguments: Sequence[str], environment: Mapping[str, str], *, log: Path | None = None
) -> Iterator[Child]:
    """Run a process for the time of the block."""
    started = Child(arguments, environment, log)
    try:
        yield started
    finally:
        started.stop()


@contextmanager
def termination_as_interrupt() -> Iterator[None]:
    """Let SIGTERM and a closed terminal end a command as Ctrl-C does.

    So it stops its children.
    """

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {
        number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
