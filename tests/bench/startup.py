"""`make startup`: what a command line costs before and beside its work.

Shown is the shortest of several runs, on a deployment of its own.

On a busy machine the time on the clock says little; the processor's does, though caches that others
empty count in it, too.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from certmail_config.admin.admin import open_admin
from certmail_config.settings import Settings

BOUND_SECONDS: Final = 0.6
ROWS: Final = "".join(f"acme,person{n}@acme.example,q4\n" for n in range(6))


class Cost(NamedTuple):
    """Seconds on the clock and of the processor, each the least that was seen."""

    wall: float
    processor: float


def cost(arguments: Sequence[str], environment: Mapping[str, str], runs: int) -> Cost:
    """Run a command line several times."""
    found = [_run(arguments, environment) for _ in range(runs)]
    return Cost(min(each.wall for each in found), min(each.processor for each in found))


def _run(arguments: Sequence[str], environment: Mapping[str, str]) -> Cost:
    command = [str(Path(sys.executable).with_name("certmail")), *arguments]
    began = time.perf_counter()
    child = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert child.stderr is not None
    errors = child.stderr.read().decode()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"certmail {' '.join(arguments)} ended with {child.returncode}: {errors}")

    return Cost(time.perf_counter() - began, used.ru_utime + used.ru_stime)


@contextmanager
def deployment(folder: Path) -> Iterator[tuple[dict[str, str], str, Path]]:
    """Stores that stay up meanwhile, with a tenant.

    Gives the environment, a reminder's id, and a file of six rows.
    """
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("CERTMAIL_")
    }
    environment["CERTMAIL_DATA_DIR"] = str(folder / "data")
    file = folder / "six.csv"
    file.write_text(f"tenant,to,campaign\n{ROWS}")

    with open_admin(Settings(data_dir=folder / "data")) as admin:
        admin.add_tenant("acme")
        sent = subprocess.run(
            [str(Path(sys.executable).with_name("certmail")), "send", str(file), "--json"],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        yield environment, sent.stdout.split('"id": "')[1].split('"')[0], file


def main() -> None:
    """Measure, print, and fail where a command is not instant."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    runs = parser.parse_args().runs

    with (
        tempfile.TemporaryDirectory() as place,
        deployment(Path(place)) as (environment, job, file),
    ):
        lines = {
            "--help": ["--help"],
            "status": ["status", job],
            "status --json": ["status", job, "--json"],
            "send, 6 rows": ["send", str(file)],
            "tenants list": ["tenants", "list"],
            "doctor --help": ["doctor", "--help"],
        }

        sys.stdout.write(f"{'certmail':16}{'clock':>8}{'processor':>11}\n")
        found = {name: cost(arguments, environment, runs) for name, arguments in lines.items()}
        for name, each in found.items():
            sys.stdout.write(f"{name:16}{each.wall:7.2f}s{each.processor:10.2f}s\n")

    if slow := [name for name, each in found.items() if each.processor > BOUND_SECONDS]:
        raise SystemExit(f"Not instant ({BOUND_SECONDS} s): {', '.join(slow)}")


if __name__ == "__main__":
    main()
