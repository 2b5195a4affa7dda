"""Capacity: whether Redis can take in more, and still keep what is promised of what is under way.

Enqueue stops at 85 % of the memory, pacing at 95 %: sending is what makes room again. Settling what
was begun needs some of the rest, and a settle that finds no room would be lost knowledge. Both stop
at 85 % of what the stream of events may hold, which only the recorder makes room in.

What is left is shared: a tenant may have so many times as much here as there is still room for. So
one alone may use most of it, and the more one uses, the sooner its next reminders are refused,
while others' are taken in; as switches share their buffers among ports.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from certmail_config.base import redis_keys
from certmail_config.base.durability import online_replicas

SHARE: Final = 0.85
PACING_SHARE: Final = 0.95
TENANT_TIMES: Final = 4
JOB_BYTES: Final = 2048
"""What a reminder takes, its events included."""
LOOK_SECONDS: Final = 1.0
"""How old a look may be."""
MIN_UNSEEN: Final = 200
MAX_UNSEEN: Final = 2_000
UNSEEN_PART: Final = 100
"""A look counts for a hundredth of what it found free, within these bounds."""


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """What the operator allows.

    That is: bytes for a server that has no limit of its own, and events in the stream.
    """

    memory_max: int | None = None
    events_max: int = 2_000_000


@dataclass(frozen=True, slots=True)
class Figures:
    """What the server shows of itself.

    That is: which run it is, bytes used, its own limit and its machine's memory (0: none shown),
    events.

    `online` is how many replicas are attached to it, `tenants` how many tenants there are.
    """

    run: str
    used: int
    maxmemory: int
    system: int
    events: int
    online: int = 0
    tenants: int = 1

    def memory_limit(self, limits: StoreLimits) -> int:
        """The bytes that may be used; 0 where nobody knows."""
        return self.maxmemory or limits.memory_max or self.system


@dataclass(frozen=True, slots=True)
class Full:
    """What is full, with figures, and what to do."""

    code: str
    message: str
    remedy: str


CODES: Final = frozenset({"redis_full", "stream_full"})


def room(figures: Figures, limits: StoreLimits, share: float = SHARE) -> Full | None:
    """Decide; pure. None while there is room: less than `share` of the memory is used."""
    limit = figures.memory_limit(limits)
    if limit and figures.used >= share * limit:
        return Full(
            "redis_full",
            f"Redis is full: {_mb(figures.used)} of {_mb(limit)} are used: at {SHARE:.0%} nothing more is taken in, at {PACING_SHARE:.0%} nothing more is sent.",
            "Give it more memory (maxmemory, or CERTMAIL_REDIS_MEMORY_MAX where that is 0), or wait until reminders have left.",
        )

    if figures.events >= SHARE * limits.events_max:
        return Full(
            "stream_full",
            f"The record is behind: {figures.events:,} events wait to be recorded in SQL, and certmail stops at {SHARE:.0%} of "
            f"{limits.events_max:,}.",
            "See that a worker runs and reaches the database (`certmail doctor`); it goes on by itself once the record has caught up.",
        )

    return None


def free_bytes(figures: Figures, limits: StoreLimits) -> int | None:
    """How many bytes may be filled before nothing more is taken in; None where nobody knows."""
    limit = figures.memory_limit(limits)
    return max(0, int(SHARE * limit) - figures.used) if limit else None


def share(figures: Figures, limits: StoreLimits) -> int:
    """How many reminders one tenant may have in Redis just now.

    0: as many as there is room for, since there is no other tenant.
    """
    return 0 if figures.tenants < 2 else max(1, TENANT_TIMES * free_jobs(figures, limits))


def unseen(figures: Figures, limits: StoreLimits) -> int:
    """How many reminders may be taken in before the next look: a small part of what is free.

    The fuller it is, the sooner; each look waits for what the server has before it.
    """
    return min(max(MIN_UNSEEN, free_jobs(figures, limits) // UNSEEN_PART), MAX_UNSEEN)


def free_jobs(figures: Figures, limits: StoreLimits) -> int:
    """For how many reminders there is room, as far as anybody knows."""
    free = free_bytes(figures, limits)
    events = max(0, int(SHARE * limits.events_max) - figures.events)
    return events if free is None else min(events, free // JOB_BYTES)


def ask(pipe: Any) -> None:
    """Put the questions into a pipeline, synchronous or not; `read_figures` reads its answers."""
    pipe.info("server")
    pipe.info("memory")
    pipe.info("replication")
    pipe.xlen(redis_keys.EVENTS)
    pipe.scard(redis_keys.TENANTS)


def read_figures(answers: Sequence[Any]) -> Figures:
    """Read the answers to `ask`."""
    server, memory, replication, events, tenants = answers

    # Buffers of the append-only file and of replicas do not count for the server's own limit.
    used = int(memory["used_memory"]) - int(memory.get("mem_not_counted_for_evict", 0))

    return Figures(
        run=str(server["run_id"]),
        used=used,
        maxmemory=int(memory.get("maxmemory", 0)),
        system=int(memory.get("total_system_memory", 0)),
        events=int(events),
        online=online_replicas(replication),
        tenants=int(tenants),
    )


def _mb(size: int) -> str:
    return f"{size / 1024**2:,.0f} MB" if size >= 1024**2 else f"{size / 1024:,.0f} KB"
