"""Halting a process from outside, for good or for a while; each returns only once it has happened."""

from __future__ import annotations

import os
import signal
import subprocess

Process = subprocess.Popen[bytes]


def kill(process: Process) -> None:
    """As the kernel does when memory runs out."""
    os.kill(process.pid, signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)


def freeze(process: Process) -> None:
    """As a suspended machine or a stalled container does: no thread of it takes another step."""
    os.kill(process.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)


def thaw(process: Process) -> None:
    """Let it go on where it stood."""
    os.kill(process.pid, signal.SIGCONT)
