"""The figures of earlier landings, so that a step backwards is seen.

Machines and their minutes differ by a third; what is kept, and compared, is a row's CPU a mail as a
multiple of what its peers took in the same run.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).parent.parent / "landings.json"
PEERS: Final = ("Celery, tuned", "arq", "taskiq, stream")
SLOWER: Final = 1.2
"""A row this much dearer than at the last landing is a step backwards."""

Multiples = dict[str, float]
"""A row's name and latency -> its CPU a mail, as a multiple of its peers'."""


def multiples(rows: Sequence[Mapping[str, Any]]) -> Multiples:
    """What certmail's rows cost, measured by their peers; empty unless all peers ran."""
    found: Multiples = {}
    for latency in sorted({row["endpoint_latency_ms"] for row in rows}):
        cpu = {
            row["name"]: row["cpu_ms_per_mail"]
            for row in rows
            if row["endpoint_latency_ms"] == latency
        }
        if not cpu.keys() >= set(PEERS):
            continue

        yardstick = statistics.geometric_mean(cpu[name] for name in PEERS)
        found |= {
            f"{name}, {latency} ms": round(used / yardstick, 3)
            for name, used in cpu.items()
            if name.startswith("certmail")
        }
    return found


def read(file: Path = FILE) -> list[dict[str, Any]]:
    """All landings, the oldest first."""
    landings: list[dict[str, Any]] = json.loads(file.read_text("utf-8")) if file.exists() else []
    return landings


def keep(what: str, rows: Sequence[Mapping[str, Any]], file: Path = FILE) -> None:
    """Add a landing; `what` says what it brought."""
    figures = {
        f"{row['name']}, {row['endpoint_latency_ms']} ms": {
            "cpu_ms_per_mail": row["cpu_ms_per_mail"],
            "mails_per_s": row["mails_per_s"],
            "redis_cpu_ms_per_mail": row["redis_cpu_ms_per_mail"],
            "disk_flushes_per_mail": row["disk_flushes_per_mail"],
        }
        for row in rows
    }
    landings = [*read(file), {"what": what, "multiples": multiples(rows), "figures": figures}]
    file.write_text(json.dumps(landings, indent=1) + "\n", "utf-8")


def steps_back(now: Multiples, before: Multiples) -> list[str]:
    """Which rows have become dearer than at the last landing, each as a sentence."""
    return [
        f"{name}: {now[name]:.2f} times its peers, {before[name]:.2f} at the last landing."
        for name in now
        if name in before and now[name] > before[name] * SLOWER
    ]
