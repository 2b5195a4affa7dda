"""API keys in SQL, which is their source.

Rows of revoked ones stay, so that an id names one key for ever.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection as Db
from sqlalchemy import insert, select, update

from certmail_config.base.errors import Refused
from certmail_config.sql import tables
from certmail_config.tenants.api_keys import ApiKey, KeyScope

_TABLE = tables.api_keys


def add_key(db: Db, key: ApiKey) -> None:
    """Keep a new key."""
    values = {
        column.name: getattr(key, column.name)
        for column in _TABLE.c
        if column.name not in {"tenants", "scopes"}
    }

    db.execute(
        insert(_TABLE).values(
            **values, tenants=json.dumps(sorted(key.tenants)), scopes=json.dumps(sorted(key.scopes))
        )
    )


def list_keys(db: Db) -> list[ApiKey]:
    """All keys, the oldest first."""
    query = select(_TABLE).order_by(_TABLE.c.created_at, _TABLE.c.id)
    return [_key(row) for row in db.execute(query).mappings()]


def revoke_key(db: Db, id_: str, now: datetime) -> ApiKey:
    """Note that a key is good for nothing from now on; the first time counts. Raises Refused."""
    where = _TABLE.c.id == id_
    db.execute(update(_TABLE).where(where & _TABLE.c.revoked_at.is_(None)).values(revoked_at=now))
    row = db.execute(select(_TABLE).where(where)).mappings().one_or_none()
    if row is None:
        raise Refused("unknown_key", f"There is no API key {id_!r}.", "See `certmail keys list`.")
    return _key(row)


def forget_tenant(db: Db, tenant: str) -> None:
    """Take a tenant out of all keys: another that is given its name later is somebody else's."""
    for key in list_keys(db):
        if tenant in key.tenants:
            rest = json.dumps(sorted(key.tenants - {tenant}))
            db.execute(update(_TABLE).where(_TABLE.c.id == key.id).values(tenants=rest))


def _key(row: Mapping[Any, Any]) -> ApiKey:
    return ApiKey(
        **{
            **row,
            "tenants": frozenset(json.loads(row["tenants"])),
            "scopes": frozenset(KeyScope(scope) for scope in json.loads(row["scopes"])),
        }
    )
