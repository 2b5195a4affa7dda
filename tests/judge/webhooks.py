"""`make signatures`: the standard's own libraries, in Python and Node, verify what certmail signs.

Each is a receiver on a real port, in another zone than this machine, that knows one secret: before
a secret is replaced, while both sign, and after. A trial is sent to each, as by `certmail webhooks
test`.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import update

from certmail_config.admin.admin import open_admin
from certmail_config.admin.webhooks.endpoints import add_webhook, get_webhook
from certmail_config.admin.webhooks.running import rotate_webhook
from certmail_config.admin.webhooks.trial import try_out
from certmail_config.settings import Settings
from certmail_config.sql import tables
from support.network.addresses import free_address

HERE: Final = Path(__file__).parent
ZONES: Final = ("Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati")


@contextmanager
def receiver(command: Sequence[str], secret: str, port: str, zone: str) -> Iterator[None]:
    """One of the two in a process of its own, on a port."""
    process = subprocess.Popen(
        [*command, secret, port],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TZ": zone},
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline(), "it has not begun to listen"
        yield
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def judge(name: str, command: Sequence[str], zone: str) -> list[str]:
    """What of what should be so is not."""
    address = free_address()
    port = address.rpartition(":")[2]

    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), webhook_allow="http://127.0.0.1")
        with open_admin(settings, make_key=True) as admin:
            made, old = add_webhook(admin, f"http://{address}/", tenants=["*"])

            def ask(secret: str) -> tuple[int | None, str]:
                with receiver(command, secret, port, zone):
                    came = asyncio.run(try_out(admin, get_webhook(admin, made.id))).came
                return came.status, came.answer.decode()

            found = {"before": ask(old)}
            _, new = rotate_webhook(admin, made.id)
            found |= {"meanwhile, the old": ask(old), "meanwhile, the new": ask(new)}
            with admin.db() as db:
                past = datetime.now(UTC) - timedelta(seconds=1)
                db.execute(update(tables.webhook_endpoints).values(previous_until=past))
            found["after it, the new"] = ask(new)
            over = ask(old)

    wrong = [
        f"{name}, {zone}: {when}: {said}"
        for when, said in found.items()
        if said != (200, "webhook.test")
    ]
    if over[0] != 400:
        wrong.append(f"{name}, {zone}: the old one is taken for good: {over}")
    return wrong


def main(python: str) -> int:
    """Judge with both; gives the exit status."""
    libraries = {
        "standardwebhooks for Python": [python, str(HERE / "verifies.py")],
        "standardwebhooks for Node": ["node", str(HERE / "verifies.mjs")],
    }
    wrong = [
        each
        for name, command in libraries.items()
        for zone in ZONES
        for each in judge(name, command, zone)
    ]
    said = f"{' and '.join(libraries)}: each verified, in {len(ZONES)} zones, before, while and after a secret was replaced."
    print("\n".join(wrong) or said)  # noqa: T201 - what it is for
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
