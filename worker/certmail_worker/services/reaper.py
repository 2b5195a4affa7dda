"""The reaper: moves on what is due, expired, or was held by a worker that is no more."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from certmail_config.jobs.states import State
from certmail_config.ledger import reap
from certmail_worker.delivery.context import DeliveryContext
from certmail_worker.health.progress import NoteProgress, no_notes

log = logging.getLogger(__name__)

BATCH = 200
PAUSE_SECONDS = 1.0
_ENDED: Final = frozenset({State.EXPIRED, State.UNCERTAIN})
_EACH: Final = ""
"""In the place of `alike`: see runtime/log_repeats.py."""


async def sweep(context: DeliveryContext, note_progress: NoteProgress = no_notes) -> None:
    """Reap until cancelled; raises RedisError.

    While all is stopped, nothing is reaped: pacer and keeper say why.
    """
    while True:
        swept = await context.ledger(reap(BATCH))
        await note_progress()

        for job, was, now in swept.moved:
            context.meters.reaped.add(was or "broken", now)
            if was is None:
                log.error("job_broken", extra={"job": job, "state": now})
            elif was is not State.SCHEDULED or now in _ENDED:
                level = logging.WARNING if now in _ENDED else logging.INFO
                said = {"job": job, "was": was, "state": now, "alike": _EACH}
                log.log(level, "reaped", extra=said)

        if swept.looked_at < BATCH:
            await asyncio.sleep(PAUSE_SECONDS)
