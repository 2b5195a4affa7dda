"""What an operator does with API keys.

Each step writes SQL first, then the working copy that the gateway checks keys against.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection as Db

from certmail_config.admin.admin import MAX_NAME, Admin
from certmail_config.base.errors import WrongUse
from certmail_config.crypto.vault import Vault
from certmail_config.ledger import Act
from certmail_config.sql import api_keys, registry
from certmail_config.sql.pausing import take_turns
from certmail_config.tenants.api_keys import (
    EVERY_TENANT,
    ApiKey,
    KeyScope,
    compare,
    digest,
    new_token,
    write_copy,
)
from certmail_config.tenants.sealed_fields import renew_values

log = logging.getLogger(__name__)

_ENOUGH = 20
"""If none of so many tenants' keys can be opened, the others' cannot either."""


def create_key(
    admin: Admin,
    name: str,
    *,
    tenants: Iterable[str],
    scopes: Iterable[KeyScope],
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key; gives also the key itself, which nobody can find out later.

    Raises Refused for an unknown tenant, WrongUse.
    """
    now = datetime.now(UTC)
    if expires_at is not None and expires_at <= now:
        raise WrongUse("invalid_time", "The key would have expired already.", "Name a later time.")

    id_, token = new_token()
    key = ApiKey(
        id_,
        name.strip()[:MAX_NAME],
        digest(token),
        frozenset(tenants),
        frozenset(scopes),
        created_at=now,
        expires_at=expires_at,
    )
    if not key.tenants or not key.scopes:
        message = "A key without a tenant, or without a scope, would be good for nothing."
        raise WrongUse(
            "missing_option", message, "Name --tenant TENANT (or --every-tenant) and --scope."
        )

    with admin.db() as db:
        for tenant in key.tenants - {EVERY_TENANT}:
            registry.get_tenant(db, tenant)
        api_keys.add_key(db, key)

    publish_keys(admin)
    told = f"{key.id} ({key.name}) for {', '.join(sorted(key.tenants))}: {', '.join(sorted(key.scopes))}"
    admin.record(Act.KEY_CREATED, _whose(key), reason=told)
    return key, token


def list_keys(admin: Admin) -> list[ApiKey]:
    """All keys, those that were revoked too."""
    with admin.db() as db:
        return api_keys.list_keys(db)


def revoke_key(admin: Admin, id_: str) -> ApiKey:
    """Let a key be good for nothing, from the next request on. Raises Refused."""
    with admin.db() as db:
        key = api_keys.revoke_key(db, id_, datetime.now(UTC))
    publish_keys(admin)
    admin.record(Act.KEY_REVOKED, _whose(key), reason=f"{key.id} ({key.name})")
    return key


def _whose(key: ApiKey) -> str:
    """The tenant in whose history it stands: its only one, or that of the deployment."""
    return next(iter(key.tenants)) if len(key.tenants) == 1 else EVERY_TENANT


def publish_keys(admin: Admin, *, ours: bool = True, newest: bool = False) -> int:
    """Let exactly those keys be known in Redis which SQL has and which are not revoked.

    Gives how many were changed.

    Unless it was `ours` to change, what Redis knew and SQL does not is reported: somebody put it
    there. With `newest`, those under an older vault key are sealed anew, too.
    """
    box = admin.strongbox

    with admin.db() as db:
        if not compare(box, _wanted(db), newest=newest):
            return 0
        if not _has_the_right_keys(admin.vault, db):
            log.error("api_keys_not_written", extra={"code": "vault_mismatch"})
            return 0
        registry.deployment_salt(db)  # makes the row that takes turns
        take_turns(db)  # else one that read earlier could bring back what another has revoked since
        wanted = _wanted(db)
        difference = compare(box, wanted, newest=newest)
        write_copy(box, difference, wanted)

    for id_ in () if ours else sorted(difference.surplus):
        log.warning("api_key_not_in_sql", extra={"api_key": id_[:8]})
    return len(difference.missing | difference.surplus)


def _wanted(db: Db) -> dict[str, ApiKey]:
    return {key.id: key for key in api_keys.list_keys(db) if key.revoked_at is None}


def _has_the_right_keys(vault: Vault, db: Db) -> bool:
    """Whether this process can open what SQL has.

    One that cannot must not seal what the others then cannot open.
    """
    tenants = registry.list_tenants(db)[-_ENOUGH:]
    return not tenants or any(
        not renew_values({"private_key": each.private_key}, each.id, vault).broken
        for each in tenants
    )
