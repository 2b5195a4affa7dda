"""The log's lines while the database is away.

Reminders leave all the same, and what happens waits in Redis.
"""

from __future__ import annotations

import logging
import time
from typing import Final

from redis.asyncio import Redis
from sqlalchemy.exc import SQLAlchemyError

from certmail_config.base import redis_keys

log = logging.getLogger(__name__)

LOG_SECONDS: Final = 60.0


class OutageLog:
    """Logs once a minute that the record waits for the database, with figures.

    And once that it goes on.
    """

    def __init__(self) -> None:
        self._logged_at: float | None = None

    async def waits(self, redis: Redis, error: SQLAlchemyError) -> None:
        """Note that the record waits; raises RedisError."""
        if self._logged_at is not None and time.monotonic() < self._logged_at + LOG_SECONDS:
            return
        self._logged_at = time.monotonic()

        cause = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()[0]
        waiting = await redis.xlen(redis_keys.EVENTS)
        await redis.hset(
            redis_keys.PROGRESS, "recorder:why", f"the database ({type(error).__name__})"
        )

        message = (
            f"The database cannot be used: {cause} Reminders leave all the same; "
            f"{waiting:,} events wait in Redis."
        )
        remedy = (
            "Bring it back; what waits is recorded then. "
            "Pacing stops at 85 % of CERTMAIL_EVENTS_MAX."
        )
        log.warning("record_waits", extra={"error": message, "remedy": remedy, "events": waiting})

    def over(self) -> None:
        """Note that the database answers."""
        if self._logged_at is not None:
            self._logged_at = None
            log.info("record_goes_on")
