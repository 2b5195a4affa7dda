"""The sampler, one of the keeper's services: counts for metrics what waits in each lane.

It notes it in Redis, where each process's `/metrics` reads it. It rests for many times as long as a
count takes, so that it costs little however many lanes there are. (What the database knows, the
caretaker counts, which reads the connections anyway.)
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

from redis.asyncio import Redis
from redis.typing import EncodableT, FieldT

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId
from certmail_config.base.redis_answers import amembers_of
from certmail_config.ledger.survey import LaneSample, sample
from certmail_config.status.monitoring.samples import LEDGER, tally_lanes, write_sample
from certmail_worker.delivery.context import DeliveryContext
from certmail_worker.health.progress import NoteProgress, no_notes

PAUSE_SECONDS: Final = 10.0
LANES_SECONDS: Final = 60.0
"""How often it is asked which lanes there are."""
TENANTS: Final = 200
LANES: Final = 100
"""In one script: some milliseconds of the server's."""
REST: Final = 20.0
"""So many times as long as a count took nothing is counted."""
MAX_REST_SECONDS: Final = 600.0
"""But no longer than this."""
_CONNECTION: Final = b"connection:"


async def sample_lanes(
    context: DeliveryContext, named: int, note_progress: NoteProgress = no_notes
) -> None:
    """Count until cancelled; raises RedisError. So many tenants are `named`."""
    lanes: list[ConnectionId] = []
    look_at = float("-inf")

    while True:
        began = time.monotonic()
        if began >= look_at:
            lanes = await _find_lanes(context.redis, note_progress)
            look_at = time.monotonic() + LANES_SECONDS

        await _sample(context, lanes, named, note_progress)
        await note_progress()
        rest = REST * (time.monotonic() - began)
        await asyncio.sleep(min(max(PAUSE_SECONDS, rest), MAX_REST_SECONDS))


async def _sample(
    context: DeliveryContext,
    lanes: list[ConnectionId],
    named: int,
    note_progress: NoteProgress,
) -> None:
    """Look at all lanes, some at a time, and note what was found."""
    seen: list[LaneSample] = []
    now = 0.0
    # Without lanes too: that there are none is worth knowing.
    for start in range(0, max(1, len(lanes)), LANES):
        page = await context.ledger(sample(lanes[start : start + LANES]))
        now, seen = page.at, [*seen, *page.lanes]
        await note_progress()

    noted: dict[FieldT, EncodableT] = {LEDGER: write_sample(tally_lanes(seen, now, named), now)}
    await context.redis.hset(redis_keys.SAMPLE, mapping=noted)


async def _find_lanes(redis: Redis, note_progress: NoteProgress) -> list[ConnectionId]:
    """The lanes of all connections that the working copy has."""
    tenants = sorted(await amembers_of(redis, redis_keys.TENANTS))
    found: list[ConnectionId] = []

    for start in range(0, len(tenants), TENANTS):
        async with redis.pipeline(transaction=False) as pipe:
            for tenant in tenants[start : start + TENANTS]:
                pipe.hgetall(redis_keys.TENANT.encode() + tenant)  # type: ignore[unused-awaitable]  # queued
            answers = await pipe.execute(raise_on_error=False)
        for fields in answers:
            if isinstance(fields, dict):  # else somebody has made it something else
                found += [
                    ConnectionId(lane.decode(errors="replace"))
                    for name, lane in fields.items()
                    if name.startswith(_CONNECTION)
                ]
        await note_progress()

    return found
