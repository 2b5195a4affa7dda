"""The working copy of tenants' templates in Redis: what workers compose with.

Nothing in it is secret, and nothing in it is trusted: whoever loads it checks it as if it were to
be published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from redis import Redis
from redis.client import Pipeline

from certmail_config.base import redis_keys
from certmail_config.base.redis_answers import field_of
from certmail_config.tenants.working_copy import read_version

_OFF: Final = "off:"


@dataclass(frozen=True, slots=True)
class TemplatesView:
    """A tenant's templates as they stand there; `off` is what failed, by its place, and why."""

    version: int
    document: bytes
    off: Mapping[str, str]


def write_templates(
    redis: Redis, tenant: str, version: int, document: str, newest: int | None = None
) -> bool:
    """Write a version, unless it or a newer one is there; says whether it was written.

    What is newer than the `newest` that there is comes from a database that was since restored, or
    from somebody else: it is no reason not to write. What failed in an older one counts no more.
    """
    key = redis_keys.TEMPLATES + tenant
    written = False

    def write(pipe: Pipeline) -> None:
        nonlocal written
        stands = read_version(field_of(pipe, key, "version"))
        written = stands < version or (newest is not None and stands > newest)
        pipe.multi()
        if written:
            pipe.delete(key)
            pipe.hset(key, mapping={"version": str(version), "document": document})

    redis.transaction(write, key)
    return written


def forget_templates(redis: Redis, tenant: str) -> None:
    """Remove them; certmail's own words stand in mails then."""
    redis.delete(redis_keys.TEMPLATES + tenant)


def read_templates_copy(fields: Mapping[bytes, bytes]) -> TemplatesView | None:
    """Read the hash of a tenant's templates; None where it has none."""
    version, document = read_version(fields.get(b"version")), fields.get(b"document")
    if not version or document is None:
        return None

    texts = {
        name.decode("utf-8", "replace"): why.decode("utf-8", "replace")
        for name, why in fields.items()
        if name not in {b"version", b"document"}
    }
    off = {name.removeprefix(_OFF): why for name, why in texts.items() if name.startswith(_OFF)}
    return TemplatesView(version, document, off)
