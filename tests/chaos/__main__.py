"""`make chaos`: a long storm; exit status 1 on any finding.

Kills, freezes, lost stores, Google's faults and garbage come all at once.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from chaos.plan import Fault, Kind, Storm
from chaos.report import compared, punctuality, report
from chaos.run import Rules, Weathered, weather


def main() -> None:
    """See the module."""
    options = _options()
    seed = options.seed if options.seed is not None else int(time.time()) % 100_000
    storm = Storm(
        reminders=options.reminders,
        tenants=options.tenants,
        workers=options.workers,
        seconds=options.seconds,
        every=options.every,
        seed=seed,
        blows=frozenset(Kind(name) for name in options.blows.split(",") if name),
        faults=frozenset(Fault(name) for name in options.faults.split(",") if name),
    )

    _say(f'seed {seed} (the same again: make chaos CHAOS="--seed {seed}")')
    # So that what was started is ended too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = options.keep or Path(tempfile.mkdtemp(prefix="chaos-"))
    rules = Rules(options.settle, negatives_verified=options.negatives_verified)
    without = None
    if options.compare:
        without = _weather(
            replace(storm, blows=storm.blows - {Kind.GARBAGE}), folder / "without", rules
        )
    done = _weather(storm, folder / "storm", rules)

    if without is not None:
        line = compared(punctuality(without.read.delays), punctuality(done.read.delays))
        sys.stdout.write(line + "\n")

    if done.found or (without is not None and without.found):
        _say(f"The logs of all processes are in {folder}")
        sys.exit(1)

    if options.keep is None:
        shutil.rmtree(folder)


def _weather(storm: Storm, folder: Path, rules: Rules) -> Weathered:
    """One storm, and its scoreboard."""
    done = weather(storm, folder, rules, _say)
    sys.stdout.write(report(storm, done) + "\n")
    sys.stdout.flush()
    return done


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--reminders", type=int, default=10_000)
    parser.add_argument("--tenants", type=int, default=50)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument(
        "--seconds", type=float, default=240, help="how long blows fall and reminders come"
    )
    parser.add_argument("--every", type=float, default=4, help="seconds between kills, about")
    parser.add_argument("--seed", type=int, help="the same seed gives the same plan of blows")
    parser.add_argument("--blows", default=",".join(Kind), help="which: %(default)s")
    parser.add_argument("--faults", default=",".join(Fault), help="which of Google's: %(default)s")
    parser.add_argument(
        "--settle",
        type=float,
        default=300,
        help="seconds in which something of what remains must get on",
    )
    parser.add_argument("--keep", type=Path, help="a new folder for all files, which stay there")
    parser.add_argument(
        "--negatives-verified",
        action="store_true",
        help="what was not sent must be found out and sent again",
    )
    parser.add_argument(
        "--compare",
        action="store_true",
        help="the same storm without garbage before, and what garbage makes of others' punctuality (twice as long)",
    )

    return parser.parse_args()


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
