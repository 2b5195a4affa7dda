"""Every key of a ledger, read from Redis in two round trips."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from redis import Redis

from certmail_config.base import redis_keys

READ: Final = {
    "string": "GET",
    "hash": "HGETALL",
    "set": "SMEMBERS",
    "zset": "ZRANGE",
}
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


class Dump:
    """Every key of a ledger, by its prefix and by what follows the prefix.

    Nothing follows for keys that there is one of.
    """

    def __init__(self, redis: Redis, since: str) -> None:
        found: Any = redis.keys("*")
        names = sorted(key.decode() for key in found)

        with redis.pipeline(transaction=False) as pipe:
            pipe.xrange(redis_keys.EVENTS, min=f"({since}")
            for name in names:
                _read(pipe, name)
                pipe.pttl(name)
            events, *answers = pipe.execute()

        self.events = [(id_.decode(), _text(data)) for id_, data in events]
        self._found: defaultdict[str, dict[str, tuple[Any, int]]] = defaultdict(dict)

        for name, value, ttl in zip(names, answers[0::2], answers[1::2], strict=True):
            prefix, id_ = _split(name)
            self._found[prefix][id_] = (value, ttl)

    def strings(self, prefix: str) -> dict[str, str]:
        return {id_: value.decode() for id_, (value, _) in self._found[prefix].items()}

    def hashes(self, prefix: str) -> dict[str, dict[str, str]]:
        return {id_: _text(value) for id_, (value, _) in self._found[prefix].items()}

    def sets(self, prefix: str) -> dict[str, set[str]]:
        return {
            id_: {member.decode() for member in value}
            for id_, (value, _) in self._found[prefix].items()
        }

    def scores(self, prefix: str) -> dict[str, dict[str, float]]:
        return {
            id_: {member.decode(): score for member, score in value}
            for id_, (value, _) in self._found[prefix].items()
        }

    def lives(self, prefix: str) -> dict[str, int]:
        """For how long Redis keeps each, ms; negative: for ever."""
        return {id_: ttl for id_, (_, ttl) in self._found[prefix].items()}


def _split(name: str) -> tuple[str, str]:
    """The prefix has two colons."""
    tag, _, rest = name.partition(":")
    kind, colon, id_ = rest.partition(":")
    return f"{tag}:{kind}{colon}", id_


def _read(pipe: Any, name: str) -> None:
    prefix, _ = _split(name)
    if prefix in HASHES:
        pipe.hgetall(name)
    elif prefix in SETS:
        pipe.smembers(name)
    elif prefix in ZSETS:
        pipe.zrange(name, 0, -1, withscores=True)
    elif prefix in STRINGS:
        pipe.get(name)
    else:
        assert name == redis_keys.EVENTS, f"nobody knows {name}"
        pipe.xlen(name)


def _text(found: Any) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in found.items()}
