"""Where a worker's time goes: samples of py-spy, summed up by part of the work."""

from __future__ import annotations

import argparse
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from bench.environments import BENCH, say
from bench.mail import deployment
from bench.mail.contestants import contestants
from bench.mail.place import Place, VoidError
from bench.mail.rounds import run

RATE = 150
PARTS: Final = tuple(
    (part, re.compile(pattern))
    for part, pattern in (
        # The first part that any frame of a stack belongs to has it: what is done for others comes
        # before who asks for it.
        (
            "log lines",
            r"logging/__init__|structlog/|certmail_worker/runtime/log|delivery/delivery_log",
        ),
        ("doorbells: publishing", r"certmail_worker/runtime/doorbell"),
        ("recorder: SQL, events, recipients", r"certmail_worker/recording/|sqlalchemy/"),
        ("pacer: dispatch", r"certmail_worker/services/pacer"),
        (
            "keeper, reaper, verifier",
            r"certmail_worker/(services/(keeper|reaper)|uncertain/verifier)",
        ),
        ("task events: build, JSON, PUBLISH", r"celery/events/|send_event|_flush_events"),
        ("ack (MULTI ZREM HDEL EXEC)", r"kombu/message|QoS\.ack|basic_ack"),
        ("reminder: the list of time zones", r"available_timezones|zoneinfo/_tzpath"),
        (
            "reminder: open, parse, validate",
            r"certmail_config/(crypto/sealing|jobs/reminder)|pydantic/",
        ),
        (
            "compose: content and pages",
            r"certmail_config/compose/(content|pages|links|facts|language/(phrases|moments|catalogue))",
        ),
        ("compose: MIME (EmailMessage)", r"certmail_config/compose/"),
        (
            "connection and token lookup",
            r"certmail_worker/google/(tenant_cache|tokens|token_client)",
        ),
        (
            "HTTP client",
            r"certmail_worker/google/(http|gmail)|certmail_config/google/http|aiohttp/",
        ),
        ("ledger: settle", r"settle_until_answered|certmail_worker/delivery/finish"),
        ("ledger: claim and begin", r"certmail_worker/delivery/"),
        (
            "pool: own glue, task creation",
            r"certmail_worker/runtime/pool.*|TaskPool\._(?!run_loop)",
        ),
        (
            "Celery: request, strategy, state",
            r"celery/worker/(request|strategy|state)|on_task_received",
        ),
        ("fetch: reply, file as unacked, Message", r"kombu/transport|kombu/messaging"),
        ("kombu: hub, poller, timers", r"kombu/|celery/|vine/|billiard/"),
        ("Redis client: replies on the loop", r"redis/|asyncio/streams"),
    )
)
_WAITS = re.compile(r"_worker \([^;]*concurrent/futures/thread\.py:\d+\)$")
"""A thread of the executor with nothing to do.

py-spy does not see that it waits, because it waits in C.
"""
_POOL_LOOP = re.compile(r"TaskPool\._run_loop")
LOOP = "event loop, sockets, TLS (uvloop, C)"


def part_of(stack: str) -> str:
    """The part of the work that a stack belongs to.

    Its frames are separated by semicolons, the outermost first.
    """
    # Every stack of the loop's thread has the function that runs the loop.
    frames = ";".join(frame for frame in stack.split(";") if not _POOL_LOOP.search(frame))
    for part, pattern in PARTS:
        if pattern.search(frames):
            return part
    return LOOP if _POOL_LOOP.search(stack) else "other"


@contextmanager
def _sampled(pid: int, file: Path) -> Iterator[None]:
    command = [str(Path(sys.executable).parent / "py-spy"), "record"]
    # Only who holds the interpreter's lock: py-spy does not see that others wait for it.
    command += ["--gil", "--pid", str(pid), "--format", "raw"]
    command += ["--rate", str(RATE), "--threads", "--full-filenames", "--output", str(file)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None

    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        output = process.stderr.read().decode(errors="replace")
        process.stderr.close()
        process.wait()

    if not file.exists():
        raise VoidError(
            "py-spy could not look into the worker (it needs ptrace, as root or CAP_SYS_PTRACE): "
            + output[-300:]
        )


def profile(place: Place, options: argparse.Namespace) -> str:
    """Run certmail once under the profiler; gives the table."""
    wanted = options.only or "whole"
    latency = options.latency or 0
    found = [
        each
        for each in contestants(options.mailboxes)
        if each.name.startswith("certmail") and wanted in each.name
    ]
    if not found:
        raise VoidError(f"no contestant of certmail's is named {wanted!r}")

    contestant = replace(found[0], mails=found[0].mails * 2)
    deployment.set_up(place)
    file = BENCH / "profile.raw"  # kept: a flame graph can be made of it
    file.unlink(missing_ok=True)
    say(
        f"{contestant.name}: {contestant.warm} mails to get warm, {contestant.mails} under the profiler ..."
    )
    result = run(contestant, [latency], place, partial(_sampled, file=file))[latency]

    parts: Counter[str] = Counter()
    for line in file.read_text("utf-8").splitlines():
        stack, _, count = line.rpartition(" ")
        if not _WAITS.search(stack):
            parts[part_of(stack)] += int(count)

    total = parts.total()
    lines = [f"{'part':42} {'ms a mail':>9} {'%':>6}", "-" * 59]
    lines += [
        f"{part:42} {result.cpu_ms_per_mail * count / total:9.3f} {100 * count / total:6.1f}"
        for part, count in parts.most_common()
    ]
    lines += [
        "-" * 59,
        f"{'total (CPU of the process, profiled)':42} {result.cpu_ms_per_mail:9.3f} {100:6.1f}",
        "",
        (
            f"{contestant.name}, {result.sent} mails at {latency} ms, {result.mails_per_s:.0f} mails/s, {total} samples at {RATE} Hz. Each sample counts for one part, with all that "
            "the part calls; py-spy takes a thread that waits for an answer of Redis's in C for a working one now and then, so the parts of the hub's thread "
            "(events, ack, fetch) may be overstated. Not included: the server's own CPU, "
            f"{result.redis_cpu_ms_per_mail:.2f} ms a mail for {result.redis_commands_per_mail:.0f} commands, most of them inside the ledger's scripts."
        ),
    ]

    return "\n".join(lines) + "\n"
