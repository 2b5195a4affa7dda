"""An upstream application, run by the interpreter of either release: it imports only `certmail`.

It sends one reminder after the other until SIGTERM, each under a key of its own, and writes a line
with each receipt. Where it gets none, it sends the same again, as the documentation says.

    python upstream.py FILE NAME SECONDS TENANT…
"""

import itertools
import json
import signal
import sys
import time
from pathlib import Path

from certmail import Mailer, Reminder, StoresUnreachable


def main() -> None:
    """See the module."""
    file, name, pause, *tenants = sys.argv[1:]
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: ended.append(number))

    with (
        Mailer.from_env() as mailer,
        Path(file).open("a", encoding="utf-8", buffering=1) as receipts,
    ):
        for n in itertools.count():
            key = f"{name}-{n}"
            reminder = Reminder(
                tenant=tenants[n % len(tenants)],
                to=f"{key}@people.example",
                name=f"Reviewer {n}",
                campaign=name,
                pending=3,
                key=key,
            )

            refused = 0
            while True:
                try:
                    receipt = mailer.send(reminder)
                    break
                except StoresUnreachable:
                    refused += 1
                    time.sleep(0.2)

            line = {
                "key": key,
                "id": receipt.id,
                "duplicate": receipt.duplicate,
                "refused": refused,
            }
            receipts.write(json.dumps(line) + "\n")
            if ended:
                return
            time.sleep(float(pause))


main()
