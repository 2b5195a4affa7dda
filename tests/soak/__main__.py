"""`make soak`: a week's work, compressed; exit status 1 where something grows, or is lost.

Real parts run for two hours as for a week. Memory of workers, gateway and Redis must stay flat, as
must descriptors, threads and punctuality, and everything that was enqueued must be accounted for.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Final, NoReturn

from soak.facts import Plan, Soaked, named
from soak.report import failures, report, rows
from soak.run import soak
from soak.week import Week
from support.processes.commands import commands

ROOT: Final = Path(__file__).resolve().parents[2]
WARM_UP: Final = 0.25
"""The part of the week that is not judged, with Monday's morning in it."""
KNOWN: Final = 5_000
"""How many mailboxes a worker keeps in memory (worker/certmail_worker/google/tenant_cache.py)."""
MOST: Final = 180_000
"""The sandbox remembers 200,000 requests: of more reminders nobody could give an account."""


def main() -> None:
    """See the module."""
    options = _options()
    week = Week(options.minutes * 60, options.rate)
    plan = Plan(
        week, named(options.tenants, options.mailboxes), options.workers, sqlite=options.sqlite
    )
    if week.due(week.seconds) > MOST:
        sys.exit(f"soak: at most {MOST:,} reminders; take fewer minutes, or a smaller --rate")

    _prepare_to_end()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="soak-"))
    folder.mkdir(parents=True, exist_ok=True)
    passed = False
    try:
        done = soak(plan, folder, _say)
        warm_up = _warm_up(plan)
        (folder / "samples.json").write_text(_json(done), "utf-8")
        sys.stdout.write(report(plan, done, warm_up) + "\n")
        _draw(folder)
        passed = not failures(done, rows(done, warm_up))
        sys.exit(0 if passed else 1)
    except SystemExit as ended:
        passed = passed or ended.code != 1  # whoever ends it wants nothing kept
        raise
    finally:
        if passed and options.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            _say(f"The logs of all processes, and what was measured, are in {folder}")


def _warm_up(plan: Plan) -> float:
    """When judging begins: not before every worker's memory of mailboxes is full."""
    full = 0.0
    if plan.tenants.many:
        enough = 2 * min(KNOWN, len(plan.tenants.many)) * plan.workers
        steps = range(int(plan.week.seconds) + 1)
        full = next((at for at in steps if plan.week.due(at) >= enough), plan.week.seconds)
    return max(WARM_UP * plan.week.seconds, full)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=120, help="a week takes so many")
    parser.add_argument(
        "--rate", type=float, default=8, help="reminders a second, on average over the week"
    )
    parser.add_argument("--tenants", type=int, default=20, help="of all kinds")
    parser.add_argument(
        "--mailboxes", type=int, default=0, help="so many more, that send nine of ten mails"
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sqlite", action="store_true", help="instead of PostgreSQL")
    parser.add_argument("--keep", type=Path, help="a folder for all files, which stay there")
    return parser.parse_args()


def _prepare_to_end() -> None:
    """However it is told to end, it ends all its processes, once."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    commands()  # what others are forked from is deaf to Ctrl-C: it ends with this process
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, _end)


def _end(number: int, _: object) -> NoReturn:
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    _say("ended; nothing is judged")
    sys.exit(128 + number)


def _draw(folder: Path) -> None:
    """Draw what was measured, where there is what draws."""
    python = ROOT / ".bench" / "venv-certmail" / "bin" / "python"
    if python.exists():
        command: list[str | Path] = [python, "-m", "soak.picture"]
        command += [folder / "samples.json", folder / "soak.png"]
        subprocess.run(command, cwd=ROOT / "tests", check=False)


def _json(done: Soaked) -> str:
    return json.dumps(
        {
            "samples": [asdict(sample) for sample in done.samples],
            "mails": [asdict(mail) for mail in done.mails],
        }
    )


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    main()
