"""`make alerts`: a real Prometheus over a running system; exit status 1 where anything is not as said.

Under a storm every expression of the dashboards has series, and nobody is told of anything. Then one
thing after another goes wrong: somebody is told of it, of nothing else, and of nothing any more once
it is put right. Times in the rules are shortened (shortened.py), all else is what is delivered.
"""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from alerting.judging import Findings
from alerting.prometheus import PROGRAMS, Monitoring, monitoring
from alerting.stages import SIDES, STAGES
from support.servers.postgres import postgres


def main() -> None:
    """See the module; words name the stages that are wanted."""
    if missing := [name for name in PROGRAMS if shutil.which(name) is None]:
        packages = " ".join(PROGRAMS)
        sys.stderr.write(
            f"This needs {' and '.join(missing)}: on Debian, apt-get install {packages}.\n"
        )
        sys.exit(2)
    if unknown := set(sys.argv[1:]) - STAGES.keys():
        sys.stderr.write(f"No stage: {', '.join(unknown)}. There are {', '.join(STAGES)}.\n")
        sys.exit(2)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended, too
    found = Findings()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="certmail-alerts-")))
        watched = stack.enter_context(monitoring(folder / "monitoring"))
        wanted = sys.argv[1:] or list(STAGES)
        sides = [[name for name in wanted if name in side] for side in SIDES]
        threads = stack.enter_context(ThreadPoolExecutor(len(sides)))
        for done in [threads.submit(_play_all, side, folder, watched, found) for side in sides]:
            done.result()

    found.say(f"{len(found.wrong)} things are not as said")
    sys.exit(1 if found.wrong else 0)


def _play_all(names: list[str], folder: Path, watched: Monitoring, found: Findings) -> None:
    """Play these stages one after the other, on a PostgreSQL of their own."""
    if names:
        with postgres() as server:
            for name in names:
                STAGES[name](folder, watched, server, found)


if __name__ == "__main__":
    main()
