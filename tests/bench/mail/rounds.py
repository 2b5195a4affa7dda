"""One run of one contestant, and rounds of runs in which all take turns.

A run: its processes start and send a warm-up, so that neither start-up nor first use is measured;
they are stopped (SIGSTOP) while the queue is filled, so that enqueueing is not measured either;
they go on, and what they use from then until the last mail is received, acknowledged and recorded
is theirs. Both latencies are measured in the same processes.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from redis import Redis

from bench.environments import say
from bench.mail import meter
from bench.mail.contestants import Contestant
from bench.mail.place import Place, VoidError, wait_until

LONGEST_SECONDS = 180.0
EVENTS_SECONDS = 0.3
"""After the last acknowledgement the last task events are still on their way."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run showed."""

    cpu_ms_per_mail: float
    mails_per_s: float
    """From the first received until all is received, acknowledged and recorded."""
    peak_rss_mb: float
    redis_commands_per_mail: float
    redis_round_trips_per_mail: float
    redis_cpu_ms_per_mail: float
    disk_flushes_per_mail: float
    """By all that runs on the machine; NaN if its kernel does not say."""
    most_in_flight: int
    sent: int
    received: int
    unique: int


def run(
    contestant: Contestant,
    latencies_ms: Sequence[int],
    place: Place,
    during: Callable[[int], AbstractContextManager[object]] = lambda _: nullcontext(),
) -> dict[int, Run]:
    """Run one contestant, at one latency after the other.

    Raises VoidError unless every mail was received exactly once.
    """
    contestant.before(place)
    place.google.reset(latencies_ms[0])

    with contestant.started(place) as processes:
        warm = contestant.enqueue(place, 0, contestant.warm)
        _wait_for(contestant, place, len(warm), processes)
        check(warm, place)

        runs, first = {}, contestant.warm
        for latency in latencies_ms:
            _signal(processes, signal.SIGSTOP)
            place.google.reset(latency)
            sent = contestant.enqueue(place, first, contestant.mails)
            first += contestant.mails
            runs[latency] = _measure(contestant, place, processes, sent, during)

    # Beside a million the copying would make each of 2 GB's pages dear to write to once more, which the next
    # round would pay for, and a server in use once a week.
    if not contestant.last:
        _make_room(place.redis)
    return runs


def _measure(
    contestant: Contestant,
    place: Place,
    processes: Sequence[subprocess.Popen[bytes]],
    sent: set[str],
    during: Callable[[int], AbstractContextManager[object]],
) -> Run:
    """From the moment at which the processes go on to the last mail's last trace."""
    measured, mails = [each.pid for each in processes[: contestant.workers]], len(sent)
    with meter.peak_memory(*measured) as memory:
        cpu, server = meter.cpu_ms(*measured), meter.server(place.redis)
        flushes = meter.disk_flushes(place.folder)
        _signal(processes, signal.SIGCONT)
        # Only now: a profiler cannot attach to a process that stands still.
        with during(measured[0]):
            _wait_for(contestant, place, mails, processes)
            ended = time.monotonic()
            time.sleep(EVENTS_SECONDS)
        cpu, after = meter.cpu_ms(*measured) - cpu, meter.server(place.redis)
        flushes = meter.disk_flushes(place.folder) - flushes

    counts = check(sent, place)
    return Run(
        cpu_ms_per_mail=cpu / mails,
        mails_per_s=mails / max(ended - counts["first"], 1e-3),
        peak_rss_mb=memory.peak_mb,
        redis_commands_per_mail=(after.commands - server.commands) / mails,
        redis_round_trips_per_mail=(after.reads - server.reads) / mails,
        redis_cpu_ms_per_mail=(after.cpu_ms - server.cpu_ms) / mails,
        disk_flushes_per_mail=flushes / mails,
        most_in_flight=int(counts["most_in_flight"]),
        sent=mails,
        received=int(counts["received"]),
        unique=int(counts["unique"]),
    )


def _wait_for(
    contestant: Contestant, place: Place, mails: int, processes: Sequence[subprocess.Popen[bytes]]
) -> None:
    def finished() -> bool:
        if any(process.poll() is not None for process in processes):
            raise VoidError(f"{contestant.name}: a process ended; see the logs in {place.folder}")
        counts = place.google.count()
        return counts["received"] >= mails and contestant.done(place)

    try:
        wait_until(f"{contestant.name} to send {mails}", finished, LONGEST_SECONDS, every=0.05)
    except VoidError as void:
        raise VoidError(f"{void}; received: {place.google.count()}; logs: {place.folder}") from None


def check(sent: set[str], place: Place) -> dict[str, float]:
    """Every mail received exactly once, and nothing else."""
    counts, ids = place.google.count(), place.google.ids()
    if ids != sent or counts["received"] != len(sent) or counts["bad"]:
        raise VoidError(
            f"not every mail was received exactly once: {len(sent)} sent, {counts['received']} received, {len(ids)} different, "
            f"{len(sent - ids)} missing, {len(ids - sent)} unknown, {counts['bad']} refused"
        )
    return counts


def _signal(processes: Iterable[subprocess.Popen[bytes]], number: signal.Signals) -> None:
    for process in processes:
        for pid in meter.tree(process.pid):
            os.kill(pid, number)


def _make_room(redis: Redis) -> None:
    """Rewrite the server's file now, so that it does not grow through the rounds."""
    redis.bgrewriteaof()
    wait_until(
        "the rewriting of Valkey's file",
        lambda: not redis.info("persistence")["aof_rewrite_in_progress"],
        LONGEST_SECONDS,
    )


@dataclass(frozen=True, slots=True)
class Row:
    """The rounds of one contestant at one latency."""

    contestant: Contestant
    latency_ms: int
    runs: list[Run]

    def values(self, name: str) -> list[float]:
        """One figure of all runs."""
        return [getattr(run, name) for run in self.runs]

    def median(self, name: str) -> float:
        """Its median."""
        return float(statistics.median(self.values(name)))


def rounds(
    field: Sequence[Contestant], latencies_ms: Sequence[int], count: int, place: Place
) -> list[Row]:
    """Let all take turns, so that a noisy minute hits everybody; raises VoidError."""
    rows = [Row(contestant, latency, []) for latency in latencies_ms for contestant in field]
    turns = [
        (number, contestant)
        for last in (False, True)
        for number in range(1, count + 1)
        for contestant in field
        if contestant.last is last
    ]

    for number, contestant in turns:
        begun = time.monotonic()
        runs = run(contestant, latencies_ms, place)

        for row in rows:
            if row.contestant is contestant:
                row.runs.append(runs[row.latency_ms])

        summary = "; ".join(
            f"{latency} ms: {one.cpu_ms_per_mail:.2f} CPU-ms a mail, {one.mails_per_s:.0f} mails/s"
            for latency, one in runs.items()
        )
        say(
            f"round {number} of {count}, {contestant.name}: {summary} ({time.monotonic() - begun:.0f} s)"
        )

    return rows
