"""What the rounds showed.

There are rows for machines, a table for people, and what has to be known to read it.
"""

from __future__ import annotations

import base64
import json
import math
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import compose
from bench.environments import BENCH, LOCKS
from bench.mail import deployment
from bench.mail.place import TESTS, Place
from bench.mail.rounds import Row
from support.servers import allocator

WHOLE = "certmail, whole mail"
_SHOWN = (
    *("celery", "kombu", "redis", "google-api-python-client", "aiohttp"),
    *("uvloop", "arq", "dramatiq", "taskiq", "taskiq-redis"),
)


def facts(place: Place, rounds: int) -> dict[str, Any]:
    """What the figures depend on; measures the endpoint's ceiling and the disk."""
    kept = BENCH / "python.json"
    python = json.loads(kept.read_text("utf-8")) if kept.exists() else {"python": sys.executable}
    info: Any = place.redis.info("server")

    return {
        "python": python,
        "machine": f"{os.cpu_count()} cores, {_model()}, Linux {platform.release()}",
        "load_before": round(os.getloadavg()[0], 2),
        "fsync_ms": round(_fsync_ms(place.folder), 2),
        "server": f"Valkey {info.get('valkey_version', info['redis_version'])} with {allocator.name()}",
        "mail_bytes": place.mail_file.stat().st_size,
        "mailboxes": place.mailboxes,
        "pace_ceiling": round(deployment.pace_ceiling(place.mailboxes)),
        "endpoint_ceiling": {"0 ms": _ceiling(place, 0, 64), "150 ms": _ceiling(place, 150, 500)},
        "composing_us": composing(),
        "rounds": rounds,
        "versions": {
            name: _versions(locks[-1] if name != "certmail" else locks[0])
            for name, locks in LOCKS.items()
        },
    }


def composing(mails: int = 2000) -> dict[str, int]:
    """Microseconds of CPU for composing alone, by row of `make compose`."""
    return {
        name: round(statistics.median(compose.cost(kind, mails, write())))
        for name, (kind, write) in compose.ROWS.items()
    }


def _model() -> str:
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text("utf-8"))
    return found[1] if found else platform.machine()


def _fsync_ms(folder: Path) -> float:
    """How many milliseconds the disk takes to make a small write durable.

    With `always`, a write waits that long for its answer.
    """
    took = []
    with (folder / "fsync.probe").open("wb", buffering=0) as file:
        for _ in range(200):
            file.write(bytes(500))
            begun = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - begun) * 1000)
    return statistics.median(took)


def _ceiling(place: Place, latency_ms: int, connections: int) -> int:
    body = place.folder / "body.json"
    body.write_bytes(json.dumps({"raw": _raw(place)}).encode())
    place.google.reset(latency_ms)

    command = [sys.executable, "-m", "bench.mail.ceiling", str(place.google.port)]
    command += [str(place.ca_file), str(body), str(connections), "2"]
    ran = subprocess.run(
        command,
        cwd=TESTS,
        env=place.environment(),
        check=True,
        capture_output=True,
    )
    return round(float(ran.stdout))


def _raw(place: Place) -> str:
    return base64.urlsafe_b64encode(place.mail_file.read_bytes()).decode()


def _versions(lock: Path) -> dict[str, str]:
    found = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock.read_text("utf-8"), re.MULTILINE))
    return {name: found[name] for name in _SHOWN if name in found}


def as_data(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Rows for machines: medians of the rounds, received and unique over all of them."""
    whole = {
        row.latency_ms: row.median("cpu_ms_per_mail")
        for row in rows
        if row.contestant.name == WHOLE
    }

    return [
        {
            "name": row.contestant.name,
            "endpoint_latency_ms": row.latency_ms,
            "cpu_ms_per_mail": round(row.median("cpu_ms_per_mail"), 3),
            "mails_per_s": round(row.median("mails_per_s"), 1),
            "peak_rss_mb": round(row.median("peak_rss_mb"), 1),
            "redis_commands_per_mail": round(row.median("redis_commands_per_mail"), 2),
            "received": sum(run.received for run in row.runs),
            "unique": sum(run.unique for run in row.runs),
            "sent": sum(run.sent for run in row.runs),
            "redis_round_trips_per_mail": round(row.median("redis_round_trips_per_mail"), 2),
            "redis_cpu_ms_per_mail": round(row.median("redis_cpu_ms_per_mail"), 3),
            "disk_flushes_per_mail": _or_none(row.median("disk_flushes_per_mail")),
            "most_in_flight": max(run.most_in_flight for run in row.runs),
            "concurrency": row.contestant.concurrency,
            "times_certmail_whole": (
                round(row.median("cpu_ms_per_mail") / whole[row.latency_ms], 2)
                if row.latency_ms in whole
                else None
            ),
            "cpu_ms_per_mail_runs": [round(value, 3) for value in row.values("cpu_ms_per_mail")],
            "mails_per_s_runs": [round(value, 1) for value in row.values("mails_per_s")],
        }
        for row in rows
    ]


def write(rows: Sequence[Row], known: dict[str, Any], folder: Path) -> None:
    """Keep rows and facts."""
    (folder / "results.json").write_text(json.dumps(as_data(rows), indent=1) + "\n", "utf-8")
    (folder / "facts.json").write_text(json.dumps(known, indent=1) + "\n", "utf-8")


def table(rows: Sequence[Row], known: dict[str, Any]) -> str:
    """The table, and below it what it rests on."""
    head = (
        *("contestant", "latency", "CPU-ms a mail", "x whole", "mails/s", "RSS MB"),
        *("Redis commands", "trips", "CPU-ms", "syncs", "received once"),
    )

    lines = [head]
    for row, data in zip(rows, as_data(rows), strict=True):
        lines.append(
            (
                data["name"],
                f"{row.latency_ms} ms",
                f"{data['cpu_ms_per_mail']:.2f} ({_range(row.values('cpu_ms_per_mail'), 2)})",
                f"{data['times_certmail_whole'] or 0:.2f}" if data["times_certmail_whole"] else "",
                f"{data['mails_per_s']:.0f} ({_range(row.values('mails_per_s'), 0)})",
                f"{data['peak_rss_mb']:.0f}",
                f"{data['redis_commands_per_mail']:.1f}",
                f"{data['redis_round_trips_per_mail']:.1f}",
                f"{data['redis_cpu_ms_per_mail']:.2f}",
                _digits(data["disk_flushes_per_mail"]),
                f"{data['unique']} of {data['sent']}",
            )
        )

    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    shown = [
        "  ".join(
            _pad(cell, width, n) for n, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ]
    return "\n".join([shown[0], "-" * len(shown[0]), *shown[1:], "", *_notes(rows, known)])


def _or_none(figure: float) -> float | None:
    return None if math.isnan(figure) else round(figure, 2)


def _digits(figure: float | None) -> str:
    return "?" if figure is None else f"{figure:.2f}"


def _pad(cell: str, width: int, column: int) -> str:
    return cell.ljust(width) if column == 0 else cell.rjust(width)


def _range(values: Sequence[float], digits: int) -> str:
    return f"{min(values):.{digits}f}-{max(values):.{digits}f}"


def _notes(rows: Sequence[Row], known: dict[str, Any]) -> list[str]:
    python, ceiling = known["python"], known["endpoint_ceiling"]
    notes = [
        (
            f"Medians of {known['rounds']} interleaved rounds (min-max). CPU is that of the contestant's whole process tree; RSS is the peak of its sum, shared "
            "pages counted in each process; Redis commands count inside scripts too, trips are the server's reads, and its CPU is not in the second column; syncs are flushes of the disk by all that "
            "runs on the machine (its databases too), ? where the kernel does not count them."
        ),
        "Composing alone, in microseconds of CPU a mail: "
        + "; ".join(f"{name} {taken}" for name, taken in known["composing_us"].items())
        + ".",
        f"Mail: {known['mail_bytes']} bytes, the same for all; HTTPS with keep-alive where the contestant keeps anything; a file of authorities as large as the world's.",
        (
            f"Python: {python.get('python')} {python.get('version', '')}, {python.get('loop_ns', '?')} ns a turn of a small loop (PGO builds: about 45 to 60; others 75 to 110); "
            f"its build flags name PGO: {_yes(python.get('says_pgo'))}, LTO: {_yes(python.get('says_lto'))} (Debian's builds are optimised without naming it)."
        ),
        f"Machine: {known['machine']}; load before the start {known['load_before']}; a durable write takes {known['fsync_ms']} ms; {known['server']}, appendfsync always, for all.",
        (
            f"Ceilings: the endpoint answers {ceiling['0 ms']} requests/s at 0 ms over 64 connections and {ceiling['150 ms']} at 150 ms over 500 (both cores shared with who asks); "
            f"the pace of {known['mailboxes']} mailboxes, one mail a second each at 98 %, allows certmail {known['pace_ceiling']} mails/s."
        ),
        "Versions: "
        + "; ".join(
            f"{name}: {', '.join(f'{k} {v}' for k, v in found.items())}"
            for name, found in known["versions"].items()
        )
        + ".",
        "Included:",
    ]

    seen = {row.contestant.name: row.contestant for row in rows}
    return notes + [
        f"  {each.name} (concurrency {each.concurrency}): {each.includes}."
        for each in seen.values()
    ]


def _yes(value: object) -> str:
    return "unknown" if value is None else "yes" if value else "no"
