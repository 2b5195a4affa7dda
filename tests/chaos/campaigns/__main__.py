"""`make storm`: campaigns that run while everything is killed; exit status 1 on any finding.

On SQLite, and then on PostgreSQL.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from chaos.campaigns.report import report
from chaos.campaigns.run import KINDS, CampaignStorm, weather
from chaos.plan import Kind


def main() -> None:
    """See the module."""
    options = _options()
    seed = options.seed if options.seed is not None else int(time.time()) % 100_000
    _say(f'seed {seed} (the same again: make storm STORM="--seed {seed}")')
    # So that what was started is ended too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    folder, wrong = options.keep or Path(tempfile.mkdtemp(prefix="storm-")), False
    for database in options.databases.split(","):
        storm = CampaignStorm(
            database,
            campaigns=options.campaigns,
            reviewers=options.reviewers,
            workers=options.workers,
            seconds=options.seconds,
            every=options.every,
            seed=seed,
            blows=frozenset(Kind(name) for name in options.blows.split(",") if name),
            to_the_end=True,
        )
        done = weather(storm, folder / database, options.settle, _say)
        sys.stdout.write(report(storm, done) + "\n")
        sys.stdout.flush()
        wrong |= bool(done.found)

    if wrong:
        _say(f"The logs of all processes are in {folder}")
        sys.exit(1)
    if options.keep is None:
        shutil.rmtree(folder)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="storm", description=__doc__)
    parser.add_argument("--databases", default="sqlite,postgresql", help="default: %(default)s")
    parser.add_argument("--campaigns", type=int, default=16)
    parser.add_argument("--reviewers", type=int, default=30, help="of each campaign")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=120, help="how long blows fall")
    parser.add_argument("--every", type=float, default=5, help="seconds between kills, about")
    parser.add_argument("--seed", type=int, help="the same seed gives the same story and blows")
    parser.add_argument("--blows", default=",".join(sorted(KINDS)), help="which: %(default)s")
    parser.add_argument(
        "--settle",
        type=float,
        default=180,
        help="seconds in which something of what remains must get on",
    )
    parser.add_argument("--keep", type=Path, help="a new folder for all files, which stay there")
    return parser.parse_args()


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
