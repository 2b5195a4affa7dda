"""API keys: what upstream applications show to the gateway, and what that allows them.

A key reads `cm_<id>_<secret>`. The secret is 256 random bits, so one SHA-256 of the whole is kept of it, here and in SQL, and
the key itself nowhere. The working copy in Redis is one hash, so that the gateway checks keys without SQL.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, cast

from redis import Redis

from certmail_config import keys

EVERY_TENANT: Final = "*"
_FORM = re.compile(r"cm_([a-z2-7]{8})_[A-Za-z0-9_-]{43}", re.ASCII)


class Scope(StrEnum):
    """What a key may be used for."""

    REMINDERS_WRITE = "reminders:write"
    """Enqueue reminders, and call them off."""
    REMINDERS_READ = "reminders:read"
    """Ask what became of a reminder."""
    DELIVERIES_READ = "deliveries:read"
    """List the record, with addresses."""
    TENANTS_READ = "tenants:read"
    """List tenants and their connections."""
    SETUP_LINKS_WRITE = "setup-links:write"
    """Make set-up links."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key, but for the key. `tenants` holds EVERY_TENANT for those that come later, too."""

    id: str
    name: str
    digest: bytes
    tenants: frozenset[str]
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """What the holder of a valid key may do."""

    id: str
    tenants: frozenset[str]
    scopes: frozenset[Scope]

    def reaches(self, tenant: str) -> bool:
        """Whether the key may touch this tenant."""
        return EVERY_TENANT in self.tenants or tenant in self.tenants


def new_token(random: Callable[[int], bytes] = secrets.token_bytes) -> tuple[str, str]:
    """Make a key: its id, which may be shown, and the whole, which is shown once."""
    id_ = base64.b32encode(random(5)).decode().lower()
    return id_, f"cm_{id_}_{base64.urlsafe_b64encode(random(32)).decode().rstrip('=')}"


def digest(token: str) -> bytes:
    """What is kept of a key; nobody finds the key from it."""
    return hashlib.sha256(token.encode()).digest()


def check(redis: Redis, token: str, now: float) -> Grant | None:
    """What a key allows; None for one that is unknown, revoked or expired. Raises RedisError."""
    named = _FORM.fullmatch(token)
    if named is None:
        return None
    found = cast("bytes | None", redis.hget(keys.API_KEYS, named[1]))
    if found is None:
        return None
    value = json.loads(found)
    if not hmac.compare_digest(bytes.fromhex(value["digest"]), digest(token)):
        return None
    if value["expires_at"] is not None and value["expires_at"] <= now:
        return None
    scopes = frozenset(scope for scope in Scope if scope in value["scopes"])  # of this version
    return Grant(named[1], frozenset(value["tenants"]), scopes)


def encode(key: ApiKey) -> bytes:
    """The form of a key in the working copy; the same bytes for the same key."""
    value = {
        "digest": key.digest.hex(),
        "tenants": sorted(key.tenants),
        "scopes": sorted(key.scopes),
        "expires_at": key.expires_at.timestamp() if key.expires_at else None,
    }
    return json.dumps(value, separators=(",", ":")).encode()


def read_copy(redis: Redis) -> dict[str, bytes]:
    """All keys of the working copy; raises RedisError."""
    found = cast("dict[bytes, bytes]", redis.hgetall(keys.API_KEYS))
    return {id_.decode(): value for id_, value in found.items()}


def write_copy(redis: Redis, found: Mapping[str, bytes], wanted: Mapping[str, bytes]) -> None:
    """Make the working copy so; raises RedisError."""
    gone = found.keys() - wanted.keys()
    changed: dict[Any, Any] = {id_: value for id_, value in wanted.items() if found.get(id_) != value}
    with redis.pipeline(transaction=True) as pipe:
        if gone:
            pipe.hdel(keys.API_KEYS, *gone)
        if changed:
            pipe.hset(keys.API_KEYS, mapping=changed)
        pipe.execute()
