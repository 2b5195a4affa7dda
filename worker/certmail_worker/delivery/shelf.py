"""The templates of the tenants whose mails a worker composes: kept in memory, bounded by their bytes."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Collection, MutableMapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple

from cachetools import LRUCache
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from certmail_config.base import redis_keys
from certmail_config.base.redis_answers import ahash_of
from certmail_config.compose.own.tenant_words import TenantWords, read_words
from certmail_config.tenants.templates_copy import read_templates_copy
from certmail_worker.google.tenant_cache import TENANT_SECONDS

log = logging.getLogger(__name__)

MOST_BYTES: Final = 160 * 1024 * 1024
"""So much memory they take at most; those used last stay."""
OF_EACH: Final = 1_500
PER_CHARACTER: Final = 12
"""What one takes: its document twelve times, measured with all of its programs read, and a bit."""


class _Kept(NamedTuple):
    until: float
    seen: bytes
    words: TenantWords | None


def cost_of(words: TenantWords | None) -> int:
    """Bytes that a tenant's words are reckoned to take, once mails have used all of them."""
    return OF_EACH + PER_CHARACTER * (words.size if words else 0)


def _cost(kept: _Kept) -> int:
    return cost_of(kept.words)


@dataclass(slots=True)
class TemplateShelf:
    """Looks templates up; what was published counts within a minute."""

    redis: Redis
    logo_hosts: Collection[str] = ()
    _kept: MutableMapping[str, _Kept] = field(
        default_factory=partial(LRUCache, MOST_BYTES, getsizeof=_cost)
    )

    async def of(self, tenant: str) -> TenantWords | None:
        """A tenant's templates, None where there is nothing to compose with; raises RedisError."""
        known = self._kept.get(tenant)
        now = time.monotonic()
        if known is not None and known.until > now:
            return known.words

        fields = await self._read(tenant)
        seen = hashlib.sha256(repr(sorted(fields.items())).encode()).digest()
        if known is not None and known.seen == seen:
            words = known.words  # with what was read of it already
        else:
            copy = read_templates_copy(fields)
            words = (
                read_words(copy.version, copy.document, copy.off, self.logo_hosts) if copy else None
            )
        self._kept[tenant] = _Kept(now + TENANT_SECONDS, seen, words)
        return words

    async def _read(self, tenant: str) -> dict[bytes, bytes]:
        try:
            return await ahash_of(self.redis, redis_keys.TEMPLATES + tenant)
        except ResponseError as error:
            # Something else stands there, or may not be read: no reminder waits for that.
            log.warning(
                "templates_unreadable", extra={"tenant": tenant, "error": type(error).__name__}
            )
            return {}
