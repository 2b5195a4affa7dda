"""The sender of webhooks alone in a process, so that it can be killed at any moment.

It is run as a module, by what `commands.py` keeps ready. It says `sending` once it is about to
begin. WEBHOOK_SPEED makes its schedule so many times as fast; what it has taken is its own for
WEBHOOK_HELD seconds, and an endpoint has half of that for an answer.
"""

from __future__ import annotations

import asyncio
import os
import sys
from functools import partial

from certmail_config.metrics.instruments import WorkerMeters
from certmail_config.settings import Settings
from certmail_config.sql.engine import open_database
from certmail_config.stores.connect import database_url, open_vault
from certmail_config.webhooks.posting import poster
from certmail_config.webhooks.schedule import wait_before
from certmail_worker.services.keeper import _run_forever
from certmail_worker.webhooks.sender import WebhookSender


def _sooner(speed: float, attempt: int, random: float) -> float | None:
    seconds = wait_before(attempt, random)
    return None if seconds is None else seconds / speed


async def _main() -> None:
    settings, held = Settings.from_env(), float(os.environ["WEBHOOK_HELD"])
    engine, vault = open_database(database_url(settings)), open_vault(settings)
    waits = partial(_sooner, float(os.environ["WEBHOOK_SPEED"]))
    sys.stdout.write("sending\n")
    sys.stdout.flush()

    async with poster(settings.webhooks_allowed, total_seconds=held / 2) as posts:
        sender = partial(
            WebhookSender,
            engine,
            vault,
            posts,
            WorkerMeters(),
            waits=waits,
            pause_seconds=0.1,
            held_seconds=held,
        )
        await _run_forever("webhooks", lambda: sender().run())


if __name__ == "__main__":
    asyncio.run(_main())
