"""What is said while the database is away: reminders leave all the same, and what happens waits in Redis."""

from __future__ import annotations

import logging
import time
from typing import Final

from redis.asyncio import Redis
from sqlalchemy.exc import SQLAlchemyError

from certmail_config.base import redis_keys

log = logging.getLogger(__name__)

TELL_SECONDS: Final = 60.0


class OutageLog:
    """Says once a minute that the record waits for the database, with figures, and once that it goes on."""

    def __init__(self) -> None:
        self._told_at: float | None = None

    async def tell(self, redis: Redis, error: SQLAlchemyError) -> None:
        """It waits; raises RedisError."""
        if self._told_at is not None and time.monotonic() < self._told_at + TELL_SECONDS:
            return

        self._told_at = time.monotonic()
        cause = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()[0]
        waiting = await redis.xlen(redis_keys.EVENTS)
        await redis.hset(
            redis_keys.PROGRESS, "recorder:why", f"the database ({type(error).__name__})"
        )
        message = f"The database cannot be used: {cause} Reminders leave all the same; {waiting:,} events wait in Redis."
        remedy = "Bring it back; what waits is recorded then. Pacing stops at 85 % of CERTMAIL_EVENTS_MAX."
        log.warning("record_waits", extra={"error": message, "remedy": remedy, "events": waiting})

    def over(self) -> None:
        """The database answers."""
        if self._told_at is not None:
            self._told_at = None
            log.info("record_goes_on")
