"""What each test file costs: seconds on the clock, and seconds of CPU by kind of process.

`make costs` runs the suite with it. Processes are looked at each quarter of a second: what one does
after it was last seen is lost, so that the figures are a little too low.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

TICKS: Final = os.sysconf("SC_CLK_TCK")
PAUSE: Final = 0.25
KINDS: Final = {"valkey-server": "redis", "redis-server": "redis", "postgres": "postgres"}


class Costs:
    """One test process's own costs, written to a file of its own when it ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[tuple[int, int], float] = {}
        self._clock: defaultdict[str, float] = defaultdict(float)
        self._cpu: defaultdict[tuple[str, str], float] = defaultdict(float)
        self._now = "collecting"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def pytest_sessionstart(self) -> None:
        """Begin to watch."""
        self._thread.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Note what runs."""
        self._now = item.path.relative_to(item.config.rootpath).as_posix()
        since = time.monotonic()
        try:
            return (yield)
        finally:
            self._clock[self._now] += time.monotonic() - since

    def pytest_sessionfinish(self) -> None:
        """Write what was seen."""
        self._ended.set()
        self._thread.join()
        rows = [(file, "clock", seconds) for file, seconds in self._clock.items()]
        rows += [(file, kind, seconds) for (file, kind), seconds in self._cpu.items()]
        (self._folder / f"{os.getpid()}.json").write_text(json.dumps(rows))

    def _watch(self) -> None:
        while not self._ended.wait(PAUSE):
            self._look()
        self._look()

    def _look(self) -> None:
        """Count what each process of ours has used since it was last seen."""
        parents: dict[int, list[int]] = defaultdict(list)
        found: dict[int, tuple[int, float, str]] = {}
        for each in Path("/proc").iterdir():
            if not each.name.isdigit():
                continue
            try:
                name, _, rest = (each / "stat").read_text().partition("(")[2].rpartition(")")
                command = (each / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:  # it has ended
                continue
            fields = rest.split()
            pid = int(each.name)
            parents[int(fields[1])].append(pid)
            used = (int(fields[11]) + int(fields[12])) / TICKS
            found[pid] = (int(fields[19]), used, _kind(name, command, pid))

        waiting = [os.getpid()]
        while waiting:
            pid = waiting.pop()
            waiting += parents[pid]
            began, used, kind = found[pid]
            before = self._seen.get((pid, began), 0.0)
            self._cpu[self._now, kind] += used - before
            self._seen[pid, began] = used


def _kind(name: str, command: str, pid: int) -> str:
    if pid == os.getpid():
        return "tests"
    for start, kind in KINDS.items():
        if name.startswith(start[:15]):
            return kind
    return "forked" if " -c " in command and "certmail_worker import cli" in command else "others"


def table(folder: Path) -> str:
    """Everything that all test processes have written, the dearest file first."""
    cpu: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    clock: defaultdict[str, float] = defaultdict(float)
    for each in folder.glob("*.json"):
        for file, kind, seconds in json.loads(each.read_text()):
            if kind == "clock":
                clock[file] += seconds
                continue
            cpu[file][kind] += seconds
            cpu["all"][kind] += seconds

    dearest = sorted(cpu, key=lambda file: -sum(cpu[file].values()))
    lines = [_line(file, clock[file], cpu[file]) for file in dearest]
    return "\n".join([f"{'CPU s':>8} {'clock s':>8}", *lines])


def _line(file: str, clock: float, cpu: Mapping[str, float]) -> str:
    kinds = sorted(cpu.items(), key=lambda used: -used[1])
    shown = ", ".join(f"{kind} {seconds:.1f}" for kind, seconds in kinds)
    return f"{sum(cpu.values()):8.1f} {clock:8.1f}  {file}  ({shown})"
