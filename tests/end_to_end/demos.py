"""`make demos`: the demo ten times in a row, a line for each, until one finds a disagreement."""

from __future__ import annotations

import json
import subprocess
import sys

RUNS = 10


def main() -> int:
    """Run them; gives the exit status."""
    for number in range(1, RUNS + 1):
        ran = subprocess.run(
            [sys.executable, "-m", "certmail_worker", "demo", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=False,
        )
        if ran.returncode:
            sys.stdout.write(ran.stdout)
            return 1

        said = json.loads(ran.stdout)
        mailbox, recorded, faults = said["mailbox"], said["recorded"], len(said["faults"])
        print(number, "ok", mailbox, recorded, faults, "faults", said["seconds"], "s", flush=True)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
