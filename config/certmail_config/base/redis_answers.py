"""What Redis answers, with the types that it has here: bytes, since no client of certmail decodes.

redis-py says `bytes | str` of nearly everything. Functions with an `a` are for asyncio clients and
give what is awaited. A pipeline that has begun to WATCH answers at once, and may be given to the
others. All raise RedisError.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis

Entry = tuple[bytes, dict[bytes, bytes]]
"""A stream's: its id and its fields."""


def value_of(redis: Redis, name: str) -> bytes | None:
    """A string."""
    return cast("bytes | None", redis.get(name))


def taken_value(redis: Redis, name: str) -> bytes | None:
    """A string that is gone afterwards."""
    return cast("bytes | None", redis.getdel(name))


def values_of(redis: Redis, names: Iterable[str]) -> list[bytes | None]:
    """Several strings, in their order."""
    return cast("list[bytes | None]", redis.mget(list(names)))


def avalue_of(redis: AsyncRedis, name: str) -> Awaitable[bytes | None]:
    """The asyncio form of `value_of`."""
    return cast("Awaitable[bytes | None]", redis.get(name))


def hash_of(redis: Redis, name: str) -> dict[bytes, bytes]:
    """All fields of a hash; none, where there is no such hash."""
    return cast("dict[bytes, bytes]", redis.hgetall(name))


def ahash_of(redis: AsyncRedis, name: str) -> Awaitable[dict[bytes, bytes]]:
    """The asyncio form of `hash_of`."""
    return cast("Awaitable[dict[bytes, bytes]]", redis.hgetall(name))


def field_of(redis: Redis, name: str, field: str) -> bytes | None:
    """One field of a hash."""
    return cast("bytes | None", redis.hget(name, field))


def afield_of(redis: AsyncRedis, name: str, field: str) -> Awaitable[bytes | None]:
    """The asyncio form of `field_of`."""
    return cast("Awaitable[bytes | None]", redis.hget(name, field))


def fields_of(redis: Redis, name: str, fields: Iterable[str]) -> list[bytes | None]:
    """Some fields of a hash, in their order."""
    return cast("list[bytes | None]", redis.hmget(name, list(fields)))


def afields_of(
    redis: AsyncRedis, name: str, fields: Iterable[str]
) -> Awaitable[list[bytes | None]]:
    """The asyncio form of `fields_of`."""
    return cast("Awaitable[list[bytes | None]]", redis.hmget(name, list(fields)))


def field_names_of(redis: Redis, name: str) -> list[bytes]:
    """The names of a hash's fields."""
    return cast("list[bytes]", redis.hkeys(name))


def amembers_of(redis: AsyncRedis, name: str) -> Awaitable[set[bytes]]:
    """The asyncio form of `members_of`."""
    return cast("Awaitable[set[bytes]]", redis.smembers(name))


def members_of(redis: Redis, name: str) -> set[bytes]:
    """The members of a set."""
    return cast("set[bytes]", redis.smembers(name))


def ranked(redis: Redis, name: str, first: int, last: int) -> list[bytes]:
    """The members of a sorted set between two ranks."""
    return cast("list[bytes]", redis.zrange(name, first, last))


def score_of(redis: Redis, name: str, member: bytes) -> float | None:
    """The score of a member of a sorted set; None if it is not in it."""
    return redis.zscore(name, member)


def scored_up_to(redis: Redis, name: str, highest: int) -> list[bytes]:
    """The members of a sorted set whose score is no higher, lowest first."""
    return cast("list[bytes]", redis.zrangebyscore(name, "-inf", highest))


def ascored_up_to(redis: AsyncRedis, name: str, highest: int, limit: int) -> Awaitable[list[bytes]]:
    """The asyncio form of `scored_up_to`; at most `limit` members."""
    found = redis.zrangebyscore(name, "-inf", highest, start=0, num=limit)
    return cast("Awaitable[list[bytes]]", found)


def scan_scored(
    redis: Redis, name: str, cursor: int, count: int
) -> tuple[int, list[tuple[bytes, float]]]:
    """Some members of a sorted set with their scores, and the next cursor; 0 is the end."""
    return cast("tuple[int, list[tuple[bytes, float]]]", redis.zscan(name, cursor, count=count))


def newest_entry(redis: Redis, name: str, until: str = "+") -> Entry | None:
    """The newest entry of a stream, or the newest that is not later than an id."""
    found = cast("list[Entry]", redis.xrevrange(name, max=until, count=1))
    return found[0] if found else None


def server_time(redis: Redis) -> float:
    """The server's clock, in seconds since 1970."""
    seconds, micros = redis.time()
    return seconds + micros / 1e6


async def aserver_time(redis: AsyncRedis) -> float:
    """The asyncio form of `server_time`."""
    seconds, micros = await redis.time()
    return seconds + micros / 1e6


def from_ms(text: bytes | str) -> datetime:
    """A time as the ledger writes it, in ms since 1970."""
    return datetime.fromtimestamp(int(text) / 1000, UTC)
