"""`make upgrade`: an earlier release becomes this one, under load; exit status 1 on any finding.

Twice: from a commit with older tables, and from the first that had today's tables and back again.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from certmail_config.sql.engine import HEAD
from upgrade.estate import estate
from upgrade.releases import (
    NotBuiltError,
    Release,
    first_with_tables,
    release_of,
    this_release,
)
from upgrade.roll import Roll

OLDER_TABLES: Final = "eee2b01728c909b9c1e291487a1fe93f3c5ddb43"
"""Of 27 November 2026, before files, languages and the moves of all modules; its tables end at 0010."""


def main() -> None:
    """See the module."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended, too
    try:
        plans = (
            [(options.commit, options.back)]
            if options.commit
            else [(OLDER_TABLES, False), (first_with_tables(HEAD), True)]
        )
        rounds = [(release_of(commit, _say), commit, back) for commit, back in plans]
    except NotBuiltError as error:
        _say(str(error))
        sys.exit(2)

    found = [wrong for old, commit, back in rounds for wrong in _round(old, commit, back=back)]
    sys.exit(1 if found else 0)


def _round(old: Release, commit: str, *, back: bool) -> list[str]:
    """One upgrade, and the way back if that is wanted; gives what is wrong."""
    folder = Path(tempfile.mkdtemp(prefix="upgrade-"))
    began = time.monotonic()

    def say(line: str) -> None:
        _say(f"{commit[:7]} {time.monotonic() - began:5.0f} s  {line}")

    with estate(folder) as all_of_it:
        roll = Roll(all_of_it, say)
        fleet = roll.old_world(old)
        before = all_of_it.head()
        roll.migrate(this_release(), fleet)
        fleet = roll.replace(this_release(), fleet)
        if all_of_it.head() != before:
            roll.refuses(old)
        if back:
            say("and back again")
            fleet = roll.put_back(old, fleet)

        account = roll.end(fleet)
        lines = [*account.lines(), f"asked again {roll.refused} times, under the same key"]

    seconds = time.monotonic() - began
    title = f"From {commit[:7]}{' and back' if back else ''}, {seconds:.0f} s"
    sys.stdout.write("\n".join([title, *(f"  {line}" for line in lines), ""]) + "\n")
    for wrong in account.wrong[:50]:
        sys.stdout.write(f"  WRONG: {wrong}\n")
    if account.wrong:
        _say(f"The logs of all processes are in {folder}")
    else:
        shutil.rmtree(folder)
    sys.stdout.flush()
    return account.wrong


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="upgrade", description=__doc__)
    parser.add_argument("--commit", help="from this one only")
    parser.add_argument("--back", action="store_true", help="and back again; with --commit")
    return parser.parse_args()


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
