"""What an operator has paused, and the words for it.

Whoever asks why nothing leaves is told how it goes on.
"""

from __future__ import annotations

from typing import Any, Final

from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.base.redis_answers import members_of

EVERYTHING: Final = "*"
"""In place of a tenant's id: the whole deployment."""


def paused_in(redis: Redis) -> frozenset[str]:
    """The tenants of which nothing leaves, and EVERYTHING if nothing leaves at all.

    Raises RedisError.
    """
    members = members_of(redis, redis_keys.PAUSED)
    return frozenset(member.decode() for member in members)


def pause_of(redis: Redis, tenant: str) -> tuple[str, str] | None:
    """What holds a tenant's reminders back and what to do, in words; None if nothing does.

    Raises RedisError.
    """
    with redis.pipeline(transaction=False) as pipe:
        pipe.smismember(redis_keys.PAUSED, [EVERYTHING, tenant])
        pipe.hget(redis_keys.TENANT + tenant, "state")
        found: list[Any] = pipe.execute()

    (everything, this), state = found
    if everything:
        return describe_pause(EVERYTHING)
    return describe_pause(tenant, suspended=state == b"suspended") if this else None


def describe_pause(name: str, *, suspended: bool = False) -> tuple[str, str]:
    """A sentence and a remedy for what is paused."""
    if name == EVERYTHING:
        return "An operator lets nothing leave: all reminders wait.", "certmail resume"
    if suspended:
        message = f"The tenant {name} is suspended: its reminders wait, and no more are taken in."
        return message, f"certmail tenants resume {name}"
    return (
        f"An operator lets nothing of {name} leave: its reminders wait.",
        f"certmail resume --tenant {name}",
    )
