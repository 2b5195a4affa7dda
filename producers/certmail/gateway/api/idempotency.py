"""`Idempotency-Key`: a request that is repeated gets the first one's answer. Used from threads; raises RedisError.

Only what was done is remembered, for a day: after a refusal the same key may be used for the corrected request.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from redis import Redis

from certmail.gateway.api.models import Fault
from certmail.gateway.api.problems import Trouble
from certmail_config import keys
from certmail_config.errors import SealBroken
from certmail_config.vault import Vault

MOST_CHARACTERS: Final = 255
PATTERN: Final = "^[ -~]+$"
"""Spaces too: HTTP takes those around a value away, so a rule against them could not be kept."""
_RUNNING_SECONDS = 60
_KEPT_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Done:
    """What was answered."""

    status: int
    body: str


@dataclass(frozen=True, slots=True)
class First:
    """This request is the first with its key; whoever has this must `keep` its answer or `forget` the key."""

    redis: Redis
    vault: Vault
    name: str
    request: str

    def keep(self, done: Done) -> None:
        """Answer the same from now on."""
        value = {"request": self.request, "status": done.status, "body": done.body}
        self.redis.set(self.name, _seal(self.vault, self.name, value), ex=_KEPT_SECONDS)

    def forget(self) -> None:
        """Nothing was done: the key is free again."""
        self.redis.delete(self.name)


def enter(
    redis: Redis, vault: Vault, *, api_key: str, key: str, route: str, body: Mapping[str, Any]
) -> First | Done:
    """Begin a request; gives the answer if it was made before. Raises Trouble if that is running, or was another."""
    if not re.fullmatch(PATTERN, key) or len(key) > MOST_CHARACTERS:
        said = f"must have 1 to {MOST_CHARACTERS} printable ASCII characters"
        fault = Fault(parameter="Idempotency-Key", code="invalid_key", detail=said)
        raise Trouble("invalid_header", f"Idempotency-Key: {said}.", faults=[fault])
    # Whoever reads Redis learns neither the key, which may say whom it is about, nor the body.
    name = keys.IDEMPOTENCY + hmac.digest(api_key.encode(), key.encode(), hashlib.sha256).hex()
    request = hashlib.sha256(json.dumps([route, body], sort_keys=True).encode()).hexdigest()
    first = First(redis, vault, name, request)
    running = _seal(vault, name, {"request": request, "status": None, "body": ""})
    if redis.set(name, running, nx=True, ex=_RUNNING_SECONDS):
        return first
    found = cast("bytes | None", redis.get(name))
    if found is None:  # it ended just now
        raise _still_running()
    try:
        value = json.loads(vault.open(found, owner=name))
    except SealBroken:  # by a vault key that is gone: nobody can know what was answered
        raise _still_running() from None
    if value["request"] != request:
        said = "This Idempotency-Key was used for a request with another body or address."
        raise Trouble("idempotency_key_reused", said)
    if value["status"] is None:
        raise _still_running()
    return Done(value["status"], value["body"])


def _still_running() -> Trouble:
    said = "The first request with this Idempotency-Key has not been answered yet."
    return Trouble("request_running", said, headers={"Retry-After": "1"})


def _seal(vault: Vault, name: str, value: Mapping[str, Any]) -> bytes:
    return vault.seal(json.dumps(value).encode(), owner=name)
