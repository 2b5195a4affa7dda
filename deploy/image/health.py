"""The image's HEALTHCHECK: whether the process that this container runs is alive.

It asks the process itself, by HTTP: a worker where CERTMAIL_METRICS_LISTEN says, all others where
they listen. Nothing but Python's own library, so that it costs some 30 ms.
"""

from __future__ import annotations

import os
import sys
from http.client import HTTPConnection, HTTPException
from itertools import pairwise
from pathlib import Path

PLACES = {
    "worker": ("CERTMAIL_METRICS_LISTEN", "", "/healthz"),
    "gateway": ("CERTMAIL_LISTEN", "127.0.0.1:8080", "/healthz"),
    "flower": ("CERTMAIL_FLOWER_LISTEN", "127.0.0.1:5555", "/healthcheck"),
    "sandbox": ("CERTMAIL_SANDBOX_LISTEN", "127.0.0.1:8090", "/"),
    "up": ("CERTMAIL_LISTEN", "127.0.0.1:8080", "/healthz"),
}
"""For each command: the setting that says where it listens, the default, and what is asked."""
SECONDS = 4.0


def running() -> str:
    """The command of certmail's that runs here: the one of the oldest process that is one."""
    for process in sorted(
        int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()
    ):
        try:
            arguments = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        names = [os.fsdecode(each) for each in arguments]
        for program, command in pairwise(names):
            if program.endswith(("/certmail", "certmail_worker")) and command in PLACES:
                return command
    return ""


def is_alive(address: str, path: str) -> bool:
    """Whether somebody answers there; that a password is asked for is an answer, too."""
    host, _, port = address.rpartition(":")
    host = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}.get(host, host.strip("[]"))  # noqa: S104
    connection = HTTPConnection(host, int(port), timeout=SECONDS)

    try:
        connection.request("GET", path)
        status = connection.getresponse().status
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()

    return status < 500


def main() -> int:
    """Exit status: 0 alive, or not to be asked; 1 not."""
    variable, default, path = PLACES.get(running(), ("", "", ""))
    address = os.environ.get(variable, "").strip() or default
    if not address:
        sys.stdout.write("nothing to ask: it runs\n")
        return 0

    alive = is_alive(address, path)
    sys.stdout.write(f"{address}{path} {'answers' if alive else 'does not answer'}\n")
    return 0 if alive else 1


if __name__ == "__main__":
    sys.exit(main())
