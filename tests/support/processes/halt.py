"""Halting a process from outside, for good or for a while.

Each function returns only once it has happened.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Protocol


class Process(Protocol):
    """A process that was started, by whatever.

    `subprocess.Popen` is one, and `support.processes.commands.Started`.
    """

    pid: int

    @property
    def returncode(self) -> int | None:
        """Its exit status, once somebody has asked for it after its end."""

    def poll(self) -> int | None:
        """Its exit status; None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raises subprocess.TimeoutExpired."""

    def send_signal(self, sig: int, /) -> None:
        """Send it a signal."""

    def terminate(self) -> None:
        """Tell it to end."""

    def kill(self) -> None:
        """End it."""


def kill(process: Process) -> None:
    """As the kernel does when memory runs out."""
    os.kill(process.pid, signal.SIGKILL)
    _wait_for(process, "ZX")


def freeze(process: Process) -> None:
    """As a suspended machine or a stalled container does: no thread of it takes another step."""
    os.kill(process.pid, signal.SIGSTOP)
    _wait_for(process, "T")


def thaw(process: Process) -> None:
    """Let it go on where it stood."""
    os.kill(process.pid, signal.SIGCONT)


def _wait_for(process: Process, states: str) -> None:
    """Wait until every thread of it is in one of these states, or until it is no more.

    The states are the kernel's.
    """
    deadline = time.monotonic() + 60
    while not _states(process.pid) <= set(states):
        assert time.monotonic() < deadline, f"process {process.pid} is not yet in state {states}"
        time.sleep(0.001)


def _states(pid: int) -> set[str]:
    try:
        stats = [file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/stat")]
    except OSError:
        return set() if not Path(f"/proc/{pid}").exists() else {"?"}
    return {stat.rpartition(")")[2].split()[0] for stat in stats}
