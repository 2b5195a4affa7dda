"""What a run costs.

CPU and memory of a process tree come from /proc, commands from the server's own statistics, flushes
of the disk from the kernel's.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from redis import Redis

_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


@dataclass(frozen=True, slots=True)
class _Process:
    parent: int
    cpu_ms: float
    """Its own, and that of its children that have ended."""
    rss_mb: float


def _read(pid: int) -> _Process | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold spaces
    return _Process(
        int(fields[1]),
        sum(int(field) for field in fields[11:15]) * _TICK_MS,
        int(fields[21]) * _PAGE_MB,
    )


def tree(root: int) -> dict[int, _Process]:
    """A process and all below it."""
    pids = (int(name.name) for name in Path("/proc").iterdir() if name.name.isdigit())
    alive = {pid: process for pid in pids if (process := _read(pid))}
    found = {root: alive[root]} if root in alive else {}
    fresh = True

    while fresh:
        fresh = {
            pid for pid, process in alive.items() if process.parent in found and pid not in found
        } != set()
        found |= {pid: process for pid, process in alive.items() if process.parent in found}

    return found


def cpu_ms(*roots: int) -> float:
    """CPU time that these trees have used so far."""
    return sum(process.cpu_ms for root in roots for process in tree(root).values())


@dataclass(slots=True)
class Memory:
    """The highest sum of resident memory seen, shared pages counted in each process."""

    peak_mb: float = 0.0
    _ended: threading.Event = field(default_factory=threading.Event)

    def watch(self, roots: Sequence[int]) -> None:
        while not self._ended.wait(0.2):
            now = sum(process.rss_mb for root in roots for process in tree(root).values())
            self.peak_mb = max(self.peak_mb, now)

    def end(self) -> None:
        self._ended.set()


@contextmanager
def peak_memory(*roots: int) -> Iterator[Memory]:
    """Watch the trees' memory while the block runs."""
    memory = Memory()
    thread = threading.Thread(target=memory.watch, args=[roots], daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        memory.end()
        thread.join()


@dataclass(frozen=True, slots=True)
class Server:
    """What the Redis server has done so far.

    Commands count inside scripts and transactions too; reads are round trips.
    """

    commands: int
    reads: int
    cpu_ms: float


def disk_flushes(folder: Path) -> float:
    """How often the disk below a folder was made to write what it holds, by anybody; NaN if unknown.

    A sync is one, and little else is.
    """
    device = folder.stat().st_dev
    name = f"{os.major(device)}:{os.minor(device)}"
    place = Path(f"/sys/dev/block/{name}").resolve()
    # A partition's flushes are counted at its disk.
    disk = place.parent if (place / "partition").exists() else place

    try:
        counts = (disk / "stat").read_text("utf-8").split()
    except OSError:
        return math.nan
    return float(counts[15]) if len(counts) > 15 else math.nan


def server(redis: Redis) -> Server:
    """Read the server's statistics."""
    commands = cast("dict[str, dict[str, int]]", redis.info("commandstats"))
    stats = redis.info("stats")
    pid = redis.info("server")["process_id"]
    process = _read(pid)
    assert process is not None, "it has just answered"

    return Server(
        sum(item["calls"] for item in commands.values()),
        int(stats["total_reads_processed"]),
        process.cpu_ms,
    )
