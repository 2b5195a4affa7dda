"""The error for an application when Redis does not answer, or takes nothing more."""

from __future__ import annotations

from redis.exceptions import OutOfMemoryError, RedisError

from certmail_config.base.errors import StoresUnreachable
from certmail_config.base.redis_errors import refused


def unreachable(error: RedisError) -> StoresUnreachable:
    """The error that an application is given in place of the client library's."""
    # Somebody else filled it since the last look.
    if isinstance(error, OutOfMemoryError):
        return StoresUnreachable(
            "redis_full",
            "Redis is full: it takes nothing more.",
            "Give it more memory (maxmemory).",
        )

    return refused(error) or StoresUnreachable(
        "redis_unreachable",
        f"Redis does not answer: {error}",
        "Start it, or check CERTMAIL_REDIS_URL; then send again.",
    )
