"""`python -m bench run` and `python -m bench profile`.

`make bench` and `make profile` set up what they need first.
"""

from __future__ import annotations

import argparse
import re
import shutil
import signal
import sys
import time
from pathlib import Path

from bench.environments import BENCH, say
from bench.mail import deployment
from bench.mail.contestants import LATENCIES_MS, contestants
from bench.mail.place import VoidError, place, pythons
from bench.mail.rounds import rounds

FOLDER = BENCH / "run"


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("what", choices=["run", "profile"])
    parser.add_argument("--rounds", type=int, default=3, help="rounds in which all take turns")
    parser.add_argument("--mailboxes", type=int, default=2000)
    parser.add_argument(
        "--only", default="", help="only contestants whose name has this, a regular expression"
    )
    parser.add_argument(
        "--latency", type=int, choices=LATENCIES_MS, help="only this latency, in ms"
    )
    parser.add_argument(
        "--million",
        action="store_true",
        help="also beside a million waiting reminders; some ten minutes more",
    )
    parser.add_argument(
        "--keep", metavar="WHAT", help="keep the figures of a landing, and what it brought"
    )
    options = parser.parse_args()
    shutil.rmtree(FOLDER, ignore_errors=True)
    # So that what was started is ended too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    try:
        (_bench if options.what == "run" else _profile)(options)
    except VoidError as void:
        say(f"\nVOID: {void}")
        sys.exit(1)


def _bench(options: argparse.Namespace) -> None:
    from bench.mail import landings, plot, report  # noqa: PLC0415 - matplotlib takes a second

    begun = time.monotonic()
    field = [
        each
        for each in contestants(options.mailboxes)
        if re.search(options.only, each.name) and (options.million or not each.last)
    ]
    latencies = [options.latency] if options.latency is not None else list(LATENCIES_MS)
    with place(FOLDER, mailboxes=options.mailboxes, interpreters=pythons()) as ground:
        facts = report.facts(ground, options.rounds)
        if any("certmail" in each.name for each in field):
            say(f"Setting up {options.mailboxes} linked mailboxes ...")
            deployment.set_up(ground)
        rows = rounds(field, latencies, options.rounds, ground)
    report.write(rows, facts, BENCH)
    plot.draw(rows, facts, BENCH / "results.png")
    sys.stdout.write(report.table(rows, facts) + "\n")
    say(
        f"Took {(time.monotonic() - begun) / 60:.1f} minutes; rows in .bench/results.json, a picture in .bench/results.png"
    )
    shutil.rmtree(FOLDER)

    known, data = landings.read(), report.as_data(rows)
    if options.keep:
        landings.keep(options.keep, data)
    elif known and (
        dearer := landings.steps_back(landings.multiples(data), known[-1]["multiples"])
    ):
        say("\nA step backwards:\n  " + "\n  ".join(dearer))
        sys.exit(1)


def _profile(options: argparse.Namespace) -> None:
    from bench.mail import profiling  # noqa: PLC0415 - as above

    with place(FOLDER, mailboxes=options.mailboxes, interpreters=pythons()) as ground:
        text = profiling.profile(ground, options)
    Path(BENCH / "profile.txt").write_text(text, "utf-8")
    sys.stdout.write(text)
    say("Kept in .bench/profile.txt")
    shutil.rmtree(FOLDER)


if __name__ == "__main__":
    main()
