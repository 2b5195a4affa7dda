"""Threads that a process does not wait for."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from certmail_worker.processes.unattended_threads import UnattendedThreads

STUCK = """
import asyncio, threading
from certmail_worker.processes.unattended_threads import UnattendedThreads
async def main():
    loop = asyncio.get_running_loop()
    loop.set_default_executor(UnattendedThreads(2))
    begun = threading.Event()
    loop.run_in_executor(None, lambda: begun.set() or threading.Event().wait())
    while not begun.is_set():
        await asyncio.sleep(0.01)
loop = asyncio.new_event_loop()
loop.run_until_complete(main())
print("ends", flush=True)
"""


def test_a_process_ends_while_one_of_them_is_stuck() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", STUCK], capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"ends\n", b"")


async def test_calls_are_answered_and_few_at_a_time() -> None:
    threads, loop = UnattendedThreads(2), asyncio.get_running_loop()
    seen: set[int] = set()

    def note(n: int) -> int:
        seen.add(threading.get_ident())
        return n

    answers = await asyncio.gather(*(loop.run_in_executor(threads, note, n) for n in range(50)))
    assert list(answers) == list(range(50))
    assert len(seen) <= 2

    with pytest.raises(ValueError, match="invalid literal"):
        await loop.run_in_executor(threads, int, "x")
