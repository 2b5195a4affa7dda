"""Redis's commands that certmail uses, by what they want of their keys' rights (Redis 7 or newer).

A command that only says how much there is, or whether, wants a key that is allowed in any way.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Want(StrEnum):
    """How a rule writes that a command may have a key."""

    READ = "%R~"
    WRITE = "%W~"
    BOTH = "~"


_READ: Final = frozenset(
    [
        "GET",
        "MGET",
        "HGET",
        "HMGET",
        "HGETALL",
        "HKEYS",
        "HVALS",
        "SMEMBERS",
        "SISMEMBER",
        "SMISMEMBER",
        "ZRANGE",
        "ZRANGEBYSCORE",
        "ZREVRANGEBYSCORE",
        "ZSCORE",
        "ZRANK",
        "ZCOUNT",
        "ZSCAN",
        "SSCAN",
        "XRANGE",
        "XREVRANGE",
        "XREAD",
        "EXISTS",
        "TYPE",
        "PTTL",
        "TTL",
        "HEXISTS",
        "HLEN",
        "LLEN",
        "SCARD",
        "ZCARD",
        "XLEN",
    ]
)
_WRITE: Final = frozenset(
    [
        "SET",
        "MSET",
        "DEL",
        "EXPIRE",
        "PEXPIRE",
        "PEXPIREAT",
        "PERSIST",
        "HSET",
        "HSETNX",
        "HDEL",
        "HINCRBY",
        "SADD",
        "SREM",
        "ZADD",
        "ZREM",
        "ZREMRANGEBYSCORE",
        "LPUSH",
        "RPUSH",
        "XADD",
        "XTRIM",
    ]
)
_BOTH: Final = frozenset(
    [
        "GETDEL",
        "INCR",
        "INCRBY",
        "DECRBY",
        "ZPOPMIN",
        "BLPOP",
        "BRPOP",
        "RPOP",
        "EVAL",
        "EVALSHA",
        "WATCH",
    ]
)


def want_of(command: str) -> Want:
    """Which right a command needs to its keys; raises KeyError for one that is not known."""
    if command in _READ:
        return Want.READ
    if command in _WRITE:
        return Want.WRITE
    if command in _BOTH:
        return Want.BOTH
    raise KeyError(command)
