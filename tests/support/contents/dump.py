"""Every key of a ledger, read from Redis in one round trip."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

from redis import Redis

from certmail_config.base import redis_keys

EVERYTHING: Final = """
local found = {redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+')}
for _, name in ipairs(redis.call('KEYS', '*')) do
  local kind, value = redis.call('TYPE', name).ok, nil
  if kind == 'hash' then
    value = redis.call('HGETALL', name)
  elseif kind == 'set' then
    value = redis.call('SMEMBERS', name)
  elseif kind == 'zset' then
    value = redis.call('ZRANGE', name, 0, -1, 'WITHSCORES')
  elseif kind == 'list' then
    value = redis.call('LRANGE', name, 0, -1)
  elseif kind == 'string' then
    value = redis.call('GET', name)
  end
  found[#found + 1] = {name, kind, value or '', redis.call('PTTL', name)}
end
return found
"""
HASHES: Final = (
    redis_keys.JOB,
    redis_keys.LANE_INFO,
    redis_keys.MAILBOX,
    redis_keys.PROJECT,
    redis_keys.PACE,
    redis_keys.DAY,
    redis_keys.CAPACITY,
    redis_keys.HELD_BACK,
    redis_keys.PROGRESS,
    redis_keys.TAKEN,
    redis_keys.UNWANTED,
)
SETS: Final = (
    redis_keys.LANES,
    redis_keys.TRIPPED,
    redis_keys.FLYING,
    redis_keys.BLOCKED,
    redis_keys.LEASED,
    redis_keys.RINGING,
    redis_keys.PAUSED,
)
ZSETS: Final = (
    redis_keys.LANE,
    redis_keys.LATER,
    redis_keys.WINDOW,
    redis_keys.QUEUE,
    redis_keys.DUE,
    redis_keys.WAKE,
    redis_keys.WORKERS,
    redis_keys.UNSURE,
)
STRINGS: Final = (redis_keys.BODY, redis_keys.DEDUPE, redis_keys.CLOCK, redis_keys.CHECKED_RUN)


KINDS: Final = {
    **dict.fromkeys(HASHES, "hash"),
    **dict.fromkeys(SETS, "set"),
    **dict.fromkeys(ZSETS, "zset"),
    **dict.fromkeys(STRINGS, "string"),
    redis_keys.EVENTS: "stream",
    redis_keys.PACER_WOKEN: "list",
}


class Dump:
    """Every key of a ledger, by its prefix and by what follows the prefix.

    Nothing follows for keys that there is one of.
    """

    def __init__(self, redis: Redis, since: str, before: Dump | None = None) -> None:
        """Read all of it; what is as it was `before` is not made sense of again."""
        answer: Any = redis.eval(EVERYTHING, 1, redis_keys.EVENTS, since)
        events, *keys = answer
        self.events = [(id_.decode(), _text(data)) for id_, data in events]
        self._raw: dict[bytes, Any] = {}
        self._values: dict[bytes, Any] = {}
        self._lives: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._found: defaultdict[str, dict[str, Any]] = defaultdict(dict)

        for name, kind, raw, ttl in sorted(keys):
            prefix, id_ = _split(name)
            assert KINDS.get(prefix) == kind.decode(), f"nobody knows {name}, a {kind}"
            known = before is not None and before._raw.get(name) == raw
            value = before._values[name] if before and known else READ[kind](raw)
            self._raw[name], self._values[name] = raw, value
            self._found[prefix][id_], self._lives[prefix][id_] = value, ttl

    def strings(self, prefix: str) -> dict[str, str]:
        return self._found[prefix]

    def hashes(self, prefix: str) -> dict[str, dict[str, str]]:
        return self._found[prefix]

    def sets(self, prefix: str) -> dict[str, set[str]]:
        return self._found[prefix]

    def scores(self, prefix: str) -> dict[str, dict[str, float]]:
        return self._found[prefix]

    def words(self, prefix: str) -> dict[str, list[str]]:
        return self._found[prefix]

    def lives(self, prefix: str) -> dict[str, int]:
        """For how long Redis keeps each, ms; negative: for ever."""
        return self._lives[prefix]


@cache
def _split(name: bytes) -> tuple[str, str]:
    """The prefix has two colons."""
    tag, _, rest = name.decode().partition(":")
    kind, colon, id_ = rest.partition(":")
    return f"{tag}:{kind}{colon}", id_


def _text(flat: list[bytes]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in _pairs(flat)}


def _members(raw: list[bytes]) -> set[str]:
    return {member.decode() for member in raw}


def _words(raw: list[bytes]) -> list[str]:
    return [word.decode() for word in raw]


def _scores(flat: list[bytes]) -> dict[str, float]:
    return {member.decode(): float(score) for member, score in _pairs(flat)}


def _pairs(flat: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """What Redis gives as one list: names, each with what follows it."""
    return zip(flat[0::2], flat[1::2], strict=True)


READ: Final[dict[bytes, Callable[[Any], Any]]] = {
    b"hash": _text,
    b"set": _members,
    b"zset": _scores,
    b"string": bytes.decode,
    b"stream": bytes.decode,
    b"list": _words,
}
