"""What an operator does with API keys: SQL first, then the working copy that the gateway checks them against."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from certmail_config.api_keys import (
    EVERY_TENANT,
    ApiKey,
    Scope,
    digest,
    encode,
    new_token,
    read_copy,
    write_copy,
)
from certmail_config.errors import WrongUse
from certmail_config.office import MOST_NAME, Office
from certmail_config.sql import api_keys, registry
from certmail_config.sql.pausing import take_turns


def create_key(
    office: Office,
    name: str,
    *,
    tenants: Iterable[str],
    scopes: Iterable[Scope],
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key; gives also the key itself, which nobody can find out later. Raises Refused for an unknown tenant, WrongUse."""
    now = datetime.now(UTC)
    if expires_at is not None and expires_at <= now:
        raise WrongUse("invalid_time", "The key would have expired already.", "Name a later time.")
    id_, token = new_token()
    key = ApiKey(
        id_,
        name.strip()[:MOST_NAME],
        digest(token),
        frozenset(tenants),
        frozenset(scopes),
        created_at=now,
        expires_at=expires_at,
    )
    if not key.tenants or not key.scopes:
        message = "A key without a tenant, or without a scope, would be good for nothing."
        raise WrongUse("missing_option", message, "Name --tenant TENANT (or --every-tenant) and --scope.")
    with office.db() as db:
        for tenant in key.tenants - {EVERY_TENANT}:
            registry.get_tenant(db, tenant)
        api_keys.add_key(db, key)
    publish_keys(office)
    return key, token


def list_keys(office: Office) -> list[ApiKey]:
    """All keys, those that were revoked too."""
    with office.db() as db:
        return api_keys.list_keys(db)


def revoke_key(office: Office, id_: str) -> ApiKey:
    """Let a key be good for nothing, from the next request on. Raises Refused."""
    with office.db() as db:
        key = api_keys.revoke_key(db, id_, datetime.now(UTC))
    publish_keys(office)
    return key


def publish_keys(office: Office) -> bool:
    """Let exactly those keys be known in Redis which SQL has and which are not revoked; gives whether anything changed."""
    with office.db() as db:
        if read_copy(office.redis) == _wanted(api_keys.list_keys(db)):
            return False
        registry.deployment_salt(db)  # makes the row that takes turns
        take_turns(db)  # else one that read earlier could bring back what another has revoked since
        write_copy(office.redis, read_copy(office.redis), _wanted(api_keys.list_keys(db)))
        return True


def _wanted(found: Iterable[ApiKey]) -> dict[str, bytes]:
    return {key.id: encode(key) for key in found if key.revoked_at is None}
