"""Which vault keys are still needed, and from when on the others can be taken away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from redis import Redis

from certmail_config.admin.admin import Admin
from certmail_config.admin.working_copy_rotation import keys_of_connection_copy, keys_of_tenant_copy
from certmail_config.base import redis_keys
from certmail_config.base.errors import SealBroken
from certmail_config.base.ids import ConnectionId
from certmail_config.crypto.vault import key_id_of
from certmail_config.sql.sealed import sealed_rows
from certmail_config.tenants.api_keys import keys_of_copy

_BATCH = 500


@dataclass(frozen=True, slots=True)
class OldKey:
    """A vault key that is not the newest.

    `removable_at` says from when on nothing needs it, None that something still does.
    """

    key: str
    removable_at: datetime | None


def old_keys(admin: Admin, now: datetime) -> list[OldKey]:
    """What is known of each key but the newest. Raises StoresUnreachable, RedisError."""
    return judge(admin.vault.key_ids[1:], keys_named(admin), seconds_needed(admin.redis), now)


def judge(
    known: Sequence[str], needed: Collection[str], seconds: Mapping[str, float], now: datetime
) -> list[OldKey]:
    """Judge from when on each old key is needed no more.

    A key is needed for good by what is configured, and for a while by tokens and by consents under
    way.
    """
    return [
        OldKey(key, None if key in needed else now + timedelta(seconds=seconds.get(key, 0)))
        for key in known
    ]


def keys_named(admin: Admin) -> set[str]:
    """The keys that SQL and the working copy name. Raises StoresUnreachable."""
    with admin.db() as db:
        rows = sealed_rows(db)
    found = {
        key
        for row in rows
        for value in row.values.values()
        if (key := key_id_of(value)) is not None
    }

    for row in rows:
        try:
            if row.table == "tenants":
                found |= keys_of_tenant_copy(admin.redis, row.id)
            elif row.table == "connections":
                found |= keys_of_connection_copy(admin.redis, admin.vault, ConnectionId(row.id))
        except SealBroken:
            continue  # it needs a key that is not known, or none helps

    return found | keys_of_copy(admin.redis)


def seconds_needed(redis: Redis) -> dict[str, float]:
    """For how many seconds each key is needed by what passes.

    That is: access tokens, visits, set-up links and consents under way.
    """
    found: dict[str, float] = defaultdict(float)

    for prefix in (
        redis_keys.TOKEN,
        redis_keys.LINK,
        redis_keys.WORKER_REQUEST,
        *redis_keys.OF_SETTING_UP,
    ):
        names = redis.scan_iter(prefix + "*", count=_BATCH)
        while batch := list(islice(names, _BATCH)):
            with redis.pipeline(transaction=False) as pipe:
                for name in batch:
                    pipe.get(name)
                    pipe.pttl(name)
                answers = pipe.execute()
            for sealed, left in zip(answers[::2], answers[1::2], strict=True):
                key = key_id_of(sealed) if sealed is not None else None
                if key is not None:
                    found[key] = max(found[key], left / 1000)

    return dict(found)
