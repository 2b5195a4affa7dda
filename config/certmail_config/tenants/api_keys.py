"""API keys: what upstream applications show to the gateway, and what that allows them.

A key reads `cm_<id>_<secret>`. The secret is 256 random bits, so one SHA-256 of the whole is kept
of it, here and in SQL, and the key itself nowhere. The working copy in Redis is one hash, sealed
field by field (strongbox.py), so that the gateway checks keys without SQL, and whoever can write
Redis cannot make one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.base.redis_answers import field_names_of, field_of, hash_of
from certmail_config.crypto.strongbox import Strongbox, Value, place_in
from certmail_config.crypto.vault import key_id_of

EVERY_TENANT: Final = "*"
_FORM = re.compile(r"cm_([a-z2-7]{8})_[A-Za-z0-9_-]{43}", re.ASCII)


class KeyScope(StrEnum):
    """What a key may be used for."""

    REMINDERS_WRITE = "reminders:write"
    """Enqueue reminders, and call them off."""
    REMINDERS_READ = "reminders:read"
    """Ask what became of a reminder."""
    CAMPAIGNS_READ = "campaigns:read"
    """Ask how campaigns stand, and who their reviewers are, with addresses."""
    CAMPAIGNS_WRITE = "campaigns:write"
    """Put campaigns and their reviewers, report progress, pause, stop and remove."""
    DELIVERIES_READ = "deliveries:read"
    """List the record, with addresses."""
    TENANTS_READ = "tenants:read"
    """List tenants and their connections."""
    SETUP_LINKS_WRITE = "setup-links:write"
    """Make set-up links."""
    TEMPLATES_WRITE = "templates:write"
    """Publish what tenants write in their mails themselves."""
    WEBHOOKS_READ = "webhooks:read"
    """List webhooks, and what waits for them."""
    WEBHOOKS_WRITE = "webhooks:write"
    """Add webhooks, try them out, stop, replay and remove them."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key, but for the key.

    `tenants` holds EVERY_TENANT for those that come later, too.
    """

    id: str
    name: str
    digest: bytes
    tenants: frozenset[str]
    scopes: frozenset[KeyScope]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class KeyGrant:
    """What the holder of a valid key may do."""

    id: str
    tenants: frozenset[str]
    scopes: frozenset[KeyScope]

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


def check(box: Strongbox, token: str, now: float) -> KeyGrant | None:
    """What a key allows; None for one that is unknown, revoked or expired. Raises RedisError."""
    named = _FORM.fullmatch(token)
    if named is None:
        return None

    sealed = field_of(box.redis, redis_keys.API_KEYS, named[1])
    value = box.open(_place(named[1]), sealed)
    if value is None:
        return None
    if not hmac.compare_digest(bytes.fromhex(value["digest"]), digest(token)):
        return None
    if value["expires_at"] is not None and value["expires_at"] <= now:
        return None

    scopes = frozenset(scope for scope in KeyScope if scope in value["scopes"])  # of this version
    return KeyGrant(named[1], frozenset(value["tenants"]), scopes)


def stated(key: ApiKey) -> Value:
    """What the working copy says of a key."""
    return {
        "digest": key.digest.hex(),
        "tenants": sorted(key.tenants),
        "scopes": sorted(key.scopes),
        "expires_at": key.expires_at.timestamp() if key.expires_at else None,
    }


@dataclass(frozen=True, slots=True)
class KeysDifference:
    """What of the working copy is not as it should be.

    `surplus` are the keys in it that should not be there.
    """

    missing: frozenset[str]
    surplus: frozenset[str]

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.missing or self.surplus)


def compare(
    box: Strongbox, wanted: Mapping[str, ApiKey], *, newest: bool = False
) -> KeysDifference:
    """Compare the working copy with the keys that should be in it; raises RedisError.

    If so asked, they should be under the `newest` vault key.
    """
    found = hash_of(box.redis, redis_keys.API_KEYS)
    copy = {id_.decode(errors="replace"): sealed for id_, sealed in found.items()}
    right = {
        id_
        for id_, key in wanted.items()
        if (sealed := copy.get(id_)) is not None
        and (not newest or box.is_newest(sealed))
        and box.open(_place(id_), sealed) == stated(key)
    }

    open_ = field_names_of(box.redis, redis_keys.OPEN_API_KEYS)
    surplus = copy.keys() | {id_.decode(errors="replace") for id_ in open_}
    return KeysDifference(frozenset(wanted.keys() - right), frozenset(surplus - wanted.keys()))


def write_copy(box: Strongbox, difference: KeysDifference, wanted: Mapping[str, ApiKey]) -> None:
    """Make the working copy so; raises RedisError."""
    sealed: dict[Any, Any] = {
        id_: box.seal(_place(id_), stated(wanted[id_])) for id_ in difference.missing
    }

    with box.redis.pipeline(transaction=True) as pipe:
        if difference.surplus:
            pipe.hdel(redis_keys.API_KEYS, *difference.surplus)
            pipe.hdel(redis_keys.OPEN_API_KEYS, *difference.surplus)
        if sealed:
            pipe.hset(redis_keys.API_KEYS, mapping=sealed)
        pipe.execute()


def keys_of_copy(redis: Redis) -> set[str]:
    """The vault keys that the working copy names; raises RedisError."""
    found = list(hash_of(redis, redis_keys.API_KEYS).values())
    return {key_id for sealed in found if (key_id := key_id_of(sealed)) is not None}


def _place(id_: str) -> str:
    return place_in(redis_keys.API_KEYS, id_)
