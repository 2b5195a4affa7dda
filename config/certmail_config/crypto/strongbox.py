"""The strongbox: values in Redis that only certmail's processes can have written.

Each is sealed under the vault, for the very place where it stands.

Whoever can write Redis but has no vault key can then neither make such a value nor move one to
another place. He can put back what stood at a place before, so whoever reads a value also sees to
its end. What does not open counts as not there, and is reported: in the log, and to `certmail
doctor`.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from redis import Redis
from redis.client import Pipeline

from certmail_config.base import redis_keys
from certmail_config.base.errors import SealBroken
from certmail_config.base.redis_answers import taken_value, value_of
from certmail_config.crypto.vault import Vault, key_id_of

log = logging.getLogger(__name__)

REPORTED_SECONDS: Final = 7 * 86_400
MAX_REPORTED: Final = 100
"""How many places are remembered, for doctor; the log has all."""
Value = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Strongbox:
    """Puts values into Redis and takes them out again; everything here raises RedisError."""

    redis: Redis
    vault: Vault

    def put(self, name: str, value: Mapping[str, Any], *, seconds: int) -> None:
        """Write a value, for so long."""
        self.redis.set(name, self.seal(name, value), ex=seconds)

    def put_first(self, name: str, value: Mapping[str, Any], *, seconds: int) -> bool:
        """Write a value unless there is one; says whether it was written."""
        return bool(self.redis.set(name, self.seal(name, value), nx=True, ex=seconds))

    def get(self, name: str) -> Value | None:
        """Read a value; None if there is none, or none of ours."""
        return self.open(name, value_of(self.redis, name))

    def take(self, name: str) -> Value | None:
        """Read a value that works once."""
        return self.open(name, taken_value(self.redis, name))

    def seal(self, place: str, value: Mapping[str, Any]) -> bytes:
        """Seal a value for its place: a key's name, or that of a hash and a field (`place_in`)."""
        return self.vault.seal(json.dumps(value).encode(), owner=place)

    def open(self, place: str, sealed: bytes | None) -> Value | None:
        """What was read at a place; None if there is nothing, or nothing of ours."""
        if sealed is None:
            return None
        try:
            value: Value = json.loads(self.vault.open(sealed, owner=place))
        except SealBroken as broken:
            self.report(place, broken.code)
            return None
        return value

    def renew(self, name: str) -> bool:
        """Seal a value anew under the newest vault key, for as long as it has left.

        Gives whether there was anything to do.
        """
        renewed = False

        def write(pipe: Pipeline) -> None:
            nonlocal renewed
            sealed = value_of(pipe, name)
            value = None if sealed is None or self.is_newest(sealed) else self.open(name, sealed)
            pipe.multi()
            if renewed := value is not None:
                pipe.set(name, self.seal(name, value or {}), keepttl=True)

        self.redis.transaction(write, name)
        return renewed

    def is_newest(self, sealed: bytes) -> bool:
        """Whether a value is under the newest vault key."""
        return key_id_of(sealed) == self.vault.key_ids[0]

    def report(self, place: str, code: str) -> None:
        """Say that what stands somewhere is not what certmail wrote there."""
        log.error("not_written_by_certmail", extra={"key": place, "code": code})
        if self.redis.hlen(redis_keys.FORGED) < MAX_REPORTED:
            with self.redis.pipeline(transaction=True) as pipe:
                pipe.hset(redis_keys.FORGED, place, f"{int(time.time() * 1000)}|{code}")
                pipe.expire(redis_keys.FORGED, REPORTED_SECONDS)
                pipe.execute()


def place_in(name: str, field: str) -> str:
    """The place of one field of a hash."""
    return f"{name}/{field}"
