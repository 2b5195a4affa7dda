"""The working copy under another vault key: the same content, sealed anew.

Versions, limits and lanes stay as they are.

The copy is renewed by itself, not written from SQL: what SQL has may be newer, and what that means
for a lane is for whoever changed it to say.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from redis import Redis
from redis.client import Pipeline

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId
from certmail_config.base.redis_answers import fields_of, hash_of
from certmail_config.crypto.vault import Vault, key_id_of
from certmail_config.tenants.sealed_fields import OF_TENANT, owner_of, renew_connection, sealed_in
from certmail_config.tenants.working_copy import encode_connection, read_connection


def renew_tenant_copy(redis: Redis, vault: Vault, tenant: str) -> bool:
    """Renew what is sealed of a tenant; says whether there was anything to do.

    Raises SealBroken.
    """

    def renewed(fields: Mapping[bytes, bytes]) -> dict[str, bytes]:
        sealed = {name: base64.b64decode(fields.get(name.encode(), b"")) for name in OF_TENANT}
        values = {
            name: vault.rename(value, owner=owner_of(tenant, name), before=tenant)
            for name, value in sealed.items()
            if value
        }
        return {
            name: base64.b64encode(value) for name, value in values.items() if value != sealed[name]
        }

    return _change(redis, redis_keys.TENANT + tenant, renewed)


def renew_connection_copy(redis: Redis, vault: Vault, connection: ConnectionId) -> bool:
    """Renew a connection, and what is sealed within; says whether there was anything to do.

    Raises SealBroken.
    """

    def renewed(fields: Mapping[bytes, bytes]) -> dict[str, bytes]:
        found = read_connection(fields, connection, vault)
        assert found is not None, "there are fields"
        value = renew_connection(found, vault, rename=True)
        if value == found and key_id_of(fields[b"sealed"]) == vault.key_ids[0]:
            return {}
        return {"sealed": vault.seal(encode_connection(value), owner=value.owner)}

    return _change(redis, redis_keys.CONNECTION + connection, renewed)


def keys_of_tenant_copy(redis: Redis, tenant: str) -> set[str]:
    """The vault keys that a tenant's copy names; empty if there is none."""
    texts = fields_of(redis, redis_keys.TENANT + tenant, OF_TENANT)
    return _named(*(base64.b64decode(text) for text in texts if text))


def keys_of_connection_copy(redis: Redis, vault: Vault, connection: ConnectionId) -> set[str]:
    """The vault keys that a connection's copy names, outside and within. Raises SealBroken."""
    fields = hash_of(redis, redis_keys.CONNECTION + connection)
    found = read_connection(fields, connection, vault)
    if found is None:
        return set()
    return _named(fields[b"sealed"], *sealed_in(found).values())


def _named(*sealed: bytes) -> set[str]:
    return {key_id for value in sealed if (key_id := key_id_of(value)) is not None}


def _change(
    redis: Redis, key: str, renewed: Callable[[Mapping[bytes, bytes]], Mapping[str, bytes]]
) -> bool:
    """Set the fields that `renewed` gives, unless the hash changes meanwhile.

    Then it is asked once more.
    """
    change: dict[Any, Any] = {}

    def write(pipe: Pipeline) -> None:
        nonlocal change
        fields = hash_of(pipe, key)
        change = dict(renewed(fields)) if fields else {}
        pipe.multi()
        if change:
            pipe.hset(key, mapping=change)

    redis.transaction(write, key)
    return bool(change)
