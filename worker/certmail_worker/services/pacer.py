"""The pacer: lets each mailbox's next reminder leave when its time has come, and rings for it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from certmail_config.base.ids import JobId
from certmail_config.base.redis_keys import PACER_WOKEN
from certmail_config.ledger import Stop, dispatch
from certmail_config.stores.capacity import LOOK_SECONDS, StoreLimits
from certmail_worker.delivery.context import DeliveryContext
from certmail_worker.health.progress import NoteProgress, no_notes
from certmail_worker.services.answering import Answering
from certmail_worker.services.pacing_guard import Guard

log = logging.getLogger(__name__)

MAX_JOBS = 500
"""Jobs leased in one step; more would make the script hold the server for too long."""
LONGEST_PAUSE = 2.0
"""After which the pacer looks by itself: who brings work may be of a version that wakes nobody."""
SHORTEST_PAUSE = 0.01
"""What comes within it leaves together."""
STOPPED_PAUSE = 5.0
PAUSED_PAUSE = 0.5
"""How long after an operator lets things leave again the pacer goes on, at most."""


async def pace(
    context: DeliveryContext,
    ring: Callable[[Sequence[JobId]], Awaitable[None]],
    check_server: Callable[[], bool],
    limits: StoreLimits,
    note_progress: NoteProgress = no_notes,
    look_seconds: float = LONGEST_PAUSE,
) -> None:
    """Pace until cancelled; raises RedisError, or what ringing raises.

    Then leases end, and jobs return to their lanes.

    A server that nobody has checked since it started is checked first; raises what that raises,
    SQLAlchemyError say. From one that is full, or lacks the replicas that must confirm, nothing
    more leaves.

    Where nobody wakes it, it looks by itself after `look_seconds`.
    """
    guard = Guard(context.redis, limits, replicas=context.replicas)
    answering = Answering()

    while True:
        if await guard.forbids():
            await note_progress()  # that nothing may leave is said elsewhere
            await asyncio.sleep(LOOK_SECONDS)
            continue

        asked_at = time.monotonic()
        step = await context.ledger(dispatch(MAX_JOBS, unanswered=answering.may_be_unanswered))
        context.meters.steps.note(time.monotonic() - asked_at)
        if step.stopped is not Stop.UNCHECKED:
            await note_progress()

        if step.stopped is not None:
            if step.stopped is Stop.PAUSED:
                await asyncio.sleep(PAUSED_PAUSE)
            elif step.stopped is not Stop.UNCHECKED or not await asyncio.to_thread(check_server):
                await note_progress()
                await asyncio.sleep(STOPPED_PAUSE)
            continue

        answering.saw(step.unanswered, len(step.jobs), time.monotonic())
        if step.jobs:
            context.meters.leases.add(by=len(step.jobs))
            with context.tracing.pace(step.jobs, time.monotonic() - asked_at):
                await ring(step.jobs)

        # What has come at once has left at once; what comes now gathers for a moment.
        await asyncio.sleep(SHORTEST_PAUSE)
        pause = look_seconds if step.next_in is None else min(step.next_in, look_seconds)
        if pause > SHORTEST_PAUSE:
            await _wake_or_pause(context.redis, pause - SHORTEST_PAUSE)


async def _wake_or_pause(redis: Redis, seconds: float) -> None:
    """Wait until a lane is put into `wake`, or for so long."""
    try:
        await redis.blpop([PACER_WOKEN], timeout=seconds)
    except ResponseError:
        # Somebody else has made it something else: the pacer looks by itself.
        await asyncio.sleep(seconds)
