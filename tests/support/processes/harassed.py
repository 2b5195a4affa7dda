"""Processes of the tests' own, of which one or the other is killed again and again, at random."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from support.processes.commands import commands
from support.processes.halt import Process


class Harassed:
    """One process of each of these modules; each says a line once it has begun."""

    def __init__(
        self, modules: Sequence[str], environment: Mapping[str, str], log: Path, seed: int
    ) -> None:
        self._environment, self._log = os.environ | dict(environment), log
        self._random, self._over = random.Random(seed), threading.Event()
        self._running: list[tuple[str, Process]] = []
        self._modules = modules
        self.killed = 0
        self.memory: list[tuple[str, float, int]] = []
        """What each had in memory after so many seconds of its life, in kilobytes."""

    @contextmanager
    def running(self) -> Iterator[None]:
        """While the block runs they run, unharmed unless `harassed`."""
        self._running = [(module, self._start(module)) for module in self._modules]
        try:
            yield
        finally:
            for _, process in self._running:
                process.kill()
                process.wait()

    @contextmanager
    def harassed(self, least: float = 0.2, most: float = 1.5) -> Iterator[None]:
        """While the block runs they are killed, each time after so many seconds."""
        thread = threading.Thread(target=self._harass, args=(least, most))
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    @contextmanager
    def measured(self) -> Iterator[None]:
        """While the block runs their memory is noted, each second."""
        over, began = threading.Event(), time.monotonic()

        def look() -> None:
            while not over.wait(1.0):
                for module, process in list(self._running):
                    with suppress(OSError):
                        self.memory.append(
                            (module, time.monotonic() - began, _resident(process.pid))
                        )

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _harass(self, least: float, most: float) -> None:
        while not self._over.wait(self._random.uniform(least, most)):
            module, victim = self._running.pop(self._random.randrange(len(self._running)))
            victim.kill()
            victim.wait()
            self.killed += 1
            self._running.append((module, self._start(module)))

    def _start(self, module: str) -> Process:
        said, out = os.pipe()
        with self._log.open("ab") as log, os.fdopen(said) as says:
            process = commands().start((), self._environment, out, log.fileno(), module=module)
            os.close(out)
            assert says.readline(), self._log.read_text()
        return process


def _resident(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0
