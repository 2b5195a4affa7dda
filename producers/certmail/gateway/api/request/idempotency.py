"""`Idempotency-Key`: a request that is repeated gets the first one's answer.

Used from threads; raises RedisError.

Only what was done is remembered, for a day: after a refusal the same key may be used for the
corrected request. What is remembered of one API key may take a part of the room that Redis has
left. An answer that finds none is not remembered: the request is carried out again when it is
repeated, and what is in already is a duplicate.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from redis import Redis

from certmail.gateway.api.models import Fault
from certmail.gateway.api.request.problems import ApiProblem
from certmail.gateway.redis_room import Space
from certmail_config.base import redis_keys
from certmail_config.base.errors import SealBroken
from certmail_config.base.redis_answers import value_of
from certmail_config.crypto.vault import Vault

MAX_CHARACTERS: Final = 255
PATTERN: Final = "^[ -~]+$"
"""Spaces too: HTTP takes those around a value away, so a rule against them could not be kept."""
MAX_KEPT: Final = 256 * 1024
"""Bytes of one answer; a thousand receipts have some 30,000."""
KEPT_SHARE: Final = 1 / 20
"""Share of the room that is left which the answers of one API key may take."""
_SHORT = 2_000
_RUNNING_SECONDS = 60
_KEPT_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """What was answered to the first request with a key."""

    status: int
    body: str


@dataclass(frozen=True, slots=True)
class First:
    """The first request with its key.

    Whoever has this must `keep` its answer or `forget` the key.
    """

    redis: Redis
    vault: Vault
    api_key: str
    name: str
    request: str

    def keep(self, done: FirstAnswer, space: Space) -> bool:
        """Answer the same from now on; returns whether there is room for that."""
        value = {"request": self.request, "status": done.status, **_packed(done.body)}
        sealed, free = _seal(self.vault, self.name, value), space.free()
        if len(sealed) <= MAX_KEPT and (
            free is None or self._count(len(sealed)) <= KEPT_SHARE * free
        ):
            self.redis.set(self.name, sealed, ex=_KEPT_SECONDS)
            return True

        self.forget()
        return False

    def forget(self) -> None:
        """Free the key again: nothing was done."""
        self.redis.delete(self.name)

    def _count(self, size: int) -> int:
        """The bytes that were kept for the API key within a day, these included.

        What is not kept after all counts, too.
        """
        name = redis_keys.IDEMPOTENCY_KEPT + self.api_key
        with self.redis.pipeline(transaction=False) as pipe:
            pipe.set(name, 0, nx=True, ex=_KEPT_SECONDS)
            pipe.incrby(name, size)
            return int(pipe.execute()[1])


def enter(
    redis: Redis, vault: Vault, *, api_key: str, key: str, route: str, body: Mapping[str, Any]
) -> First | FirstAnswer:
    """Begin a request; returns the answer if it was made before.

    Raises ApiProblem if the first is still running, or was another request.
    """
    if not re.fullmatch(PATTERN, key) or len(key) > MAX_CHARACTERS:
        detail = f"must have 1 to {MAX_CHARACTERS} printable ASCII characters"
        fault = Fault(parameter="Idempotency-Key", code="invalid_key", detail=detail)
        raise ApiProblem("invalid_header", f"Idempotency-Key: {detail}.", faults=[fault])

    # Whoever reads Redis learns neither the key, which may say whom it is about, nor the body.
    name = (
        redis_keys.IDEMPOTENCY + hmac.digest(api_key.encode(), key.encode(), hashlib.sha256).hex()
    )

    request = fingerprint(route, body)
    first = First(redis, vault, api_key, name, request)
    running = _seal(vault, name, {"request": request, "status": None, "body": ""})
    if redis.set(name, running, nx=True, ex=_RUNNING_SECONDS):
        return first

    found = value_of(redis, name)
    if found is None:  # it ended just now
        raise _still_running()

    try:
        value = json.loads(vault.open(found, owner=name))
    # Sealed by a vault key that is gone: nobody can know what was answered.
    except SealBroken:
        raise _still_running() from None

    if value["request"] != request:
        detail = "This Idempotency-Key was used for a request with another body or address."
        raise ApiProblem("idempotency_key_reused", detail)
    if value["status"] is None:
        raise _still_running()

    return FirstAnswer(value["status"], _unpacked(value))


def fingerprint(route: str, body: Mapping[str, Any]) -> str:
    """A hash that tells a request from another, whatever the order of its fields.

    A thread that makes it lets others work in between.
    """
    hashed = hashlib.sha256()
    for part in _written(route, body):
        hashed.update(part.encode())
    return hashed.hexdigest()


def _written(route: str, body: Mapping[str, Any]) -> Iterator[str]:
    """`json.dumps([route, body], sort_keys=True)`, list by list in pieces."""
    yield f"[{json.dumps(route)}, {{"

    for n, name in enumerate(sorted(body)):
        value = body[name]
        yield f"{', ' if n else ''}{json.dumps(name)}: "
        if not isinstance(value, list):
            yield json.dumps(value, sort_keys=True)
            continue

        yield "["
        for place, each in enumerate(value):
            yield (", " if place else "") + json.dumps(each, sort_keys=True)
        yield "]"

    yield "}]"


def _still_running() -> ApiProblem:
    detail = "The first request with this Idempotency-Key has not been answered yet."
    return ApiProblem("request_running", detail, headers={"Retry-After": "1"})


def _packed(body: str) -> dict[str, str]:
    """An answer as it is kept: a long one compressed, since it repeats itself."""
    if len(body) <= _SHORT:
        return {"body": body}
    return {"packed": base64.b64encode(zlib.compress(body.encode())).decode()}


def _unpacked(value: Mapping[str, Any]) -> str:
    packed = value.get("packed")
    if packed is None:
        return str(value["body"])
    return zlib.decompress(base64.b64decode(packed)).decode()


def _seal(vault: Vault, name: str, value: Mapping[str, Any]) -> bytes:
    return vault.seal(json.dumps(value).encode(), owner=name)
