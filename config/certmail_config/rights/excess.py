"""What nobody but an administrator needs in Redis, and what no producer needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from certmail_config.base import redis_keys as keys

PRODUCERS_NAME: Final = "producer"
"""What is in the name of a producer's user, so that it is known as one."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A command that is to be refused, and what it would be good for."""

    words: tuple[str, ...]
    what: str


ADMINISTERING: Final = (
    Attempt(("FLUSHALL",), "empty it"),
    Attempt(("CONFIG", "SET", "appendonly", "no"), "change its configuration"),
    Attempt(("ACL", "SETUSER", "somebody"), "change its users"),
    Attempt(("SHUTDOWN", "NOSAVE"), "end it"),
    Attempt(("DEBUG", "SLEEP", "0"), "debug it"),
    Attempt(("MONITOR",), "see every command"),
    Attempt(("REPLICAOF", "NO", "ONE"), "change its replication"),
)
READING: Final = (
    Attempt(("GET", f"{keys.BODY}job"), "read content"),
    Attempt(("XRANGE", keys.EVENTS, "-", "+"), "read content in the events"),
    Attempt(("HGETALL", f"{keys.CONNECTION}connection"), "read connections"),
    Attempt(("GET", f"{keys.TOKEN}connection:1:send"), "read tokens"),
    Attempt(("HGETALL", keys.API_KEYS), "read API keys"),
    Attempt(("GET", f"{keys.SESSION}visit"), "read sessions"),
    Attempt(("GET", "somebody-elses"), "read other keys"),
    Attempt(("SET", "somebody-elses", "value"), "write other keys"),
    Attempt(("CONFIG", "GET", "requirepass"), "read its configuration"),
    Attempt(("KEYS", "*"), "list its keys"),
    Attempt(("SCAN", "0"), "list its keys"),
)
"""What no producer needs, beside administering."""


def may(attempts: Sequence[Attempt], allowed: Callable[[tuple[str, ...]], bool]) -> list[str]:
    """What of it is allowed, each thing once."""
    return list(dict.fromkeys(each.what for each in attempts if allowed(each.words)))
