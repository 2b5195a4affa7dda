"""Which reminders still have their content, sealed, in Redis.

Those that have not ended, and were not closed.
"""

from __future__ import annotations

from collections.abc import Sequence

from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.base.ids import JobId


def with_payload(redis: Redis, jobs: Sequence[JobId]) -> list[JobId]:
    """Those of the jobs that still have their payload; raises RedisError."""
    with redis.pipeline(transaction=False) as pipe:
        for job in jobs:
            pipe.exists(redis_keys.BODY + job)
        return [job for job, found in zip(jobs, pipe.execute(), strict=True) if found]
