"""The working copy under another vault key: the same content, sealed anew. Versions, limits and lanes stay as they are.

The copy is renewed by itself, not written from SQL: what SQL has may be newer, and what that means for a lane is for
whoever changed it to say.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import cast

from redis import Redis
from redis.client import Pipeline

from certmail_config import keys
from certmail_config.ids import ConnectionId
from certmail_config.renewal import owner_of, renew_connection, sealed_in
from certmail_config.vault import Vault, key_id_of
from certmail_config.working_copy import encode_connection, read_connection


def renew_tenant_copy(redis: Redis, vault: Vault, tenant: str) -> bool:
    """Renew a tenant's private half; says whether there was anything to do. Raises SealBroken."""

    def renewed(fields: Mapping[bytes, bytes]) -> tuple[str, bytes] | None:
        sealed = base64.b64decode(fields[b"private_key"])
        value = vault.rename(sealed, owner=owner_of(tenant, "private_key"), before=tenant)
        return None if value == sealed else ("private_key", base64.b64encode(value))

    return _change(redis, keys.TENANT + tenant, renewed)


def renew_connection_copy(redis: Redis, vault: Vault, connection: ConnectionId) -> bool:
    """Renew a connection, and what is sealed within; says whether there was anything to do. Raises SealBroken."""

    def renewed(fields: Mapping[bytes, bytes]) -> tuple[str, bytes] | None:
        found = read_connection(fields, connection, vault)
        assert found is not None, "there are fields"
        value = renew_connection(found, vault, rename=True)
        if value == found and key_id_of(fields[b"sealed"]) == vault.key_ids[0]:
            return None
        return "sealed", vault.seal(encode_connection(value), owner=value.owner)

    return _change(redis, keys.CONNECTION + connection, renewed)


def keys_of_tenant_copy(redis: Redis, tenant: str) -> set[str]:
    """The vault keys that a tenant's copy names; empty if there is none."""
    text = cast("bytes | None", redis.hget(keys.TENANT + tenant, "private_key"))
    return _named(base64.b64decode(text)) if text is not None else set()


def keys_of_connection_copy(redis: Redis, vault: Vault, connection: ConnectionId) -> set[str]:
    """The vault keys that a connection's copy names, outside and within. Raises SealBroken."""
    fields = cast("dict[bytes, bytes]", redis.hgetall(keys.CONNECTION + connection))
    found = read_connection(fields, connection, vault)
    if found is None:
        return set()
    return _named(fields[b"sealed"], *sealed_in(found).values())


def _named(*sealed: bytes) -> set[str]:
    return {key_id for value in sealed if (key_id := key_id_of(value)) is not None}


def _change(
    redis: Redis, key: str, renewed: Callable[[Mapping[bytes, bytes]], tuple[str, bytes] | None]
) -> bool:
    """Set the field that `renewed` gives, unless the hash changes meanwhile: then it is asked once more."""
    change: tuple[str, bytes] | None = None

    def write(pipe: Pipeline) -> None:
        nonlocal change
        fields = cast("dict[bytes, bytes]", pipe.hgetall(key))
        change = renewed(fields) if fields else None
        pipe.multi()
        if change is not None:
            pipe.hset(key, *change)

    redis.transaction(write, key)
    return change is not None
