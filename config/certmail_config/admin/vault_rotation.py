"""Rotation of vault keys, while all else goes on.

Everything that names another key than the newest is sealed anew.

Row by row, each in a transaction of its own: first SQL, where nothing is written over what somebody
changed meanwhile, then the row's working copy. So it may be interrupted anywhere, and run again it
goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from certmail_config.admin.admin import Admin
from certmail_config.admin.api_keys import publish_keys
from certmail_config.admin.working_copy_rotation import renew_connection_copy, renew_tenant_copy
from certmail_config.base import redis_keys
from certmail_config.base.errors import SealBroken
from certmail_config.base.ids import ConnectionId
from certmail_config.crypto.vault import key_id_of
from certmail_config.sql.sealed import SealedRow, replace_sealed, sealed_again, sealed_rows
from certmail_config.tenants.sealed_fields import renew_values


@dataclass(frozen=True, slots=True)
class Unopened:
    """A value in SQL that could not be opened.

    `key` is the vault key that it names, None if it names none.
    """

    who: str
    id: str
    field: str
    key: str | None
    error: SealBroken


@dataclass(frozen=True, slots=True)
class Resealed:
    """What a rotation did: in SQL, in the working copy, and what is still to be put right."""

    values: int
    copies: int
    unopened: tuple[Unopened, ...]


def reseal(
    admin: Admin, progress: Callable[[int, int], None] = lambda _done, _total: None
) -> Resealed:
    """Do it; `progress` is told before each row. Raises StoresUnreachable, RedisError."""
    with admin.db() as db:
        rows = sealed_rows(db)
    values = copies = 0
    unopened: list[Unopened] = []

    for done, row in enumerate(rows):
        progress(done, len(rows))
        renewed, broken = _reseal_row(admin, row)
        values += renewed
        unopened += broken
        copies += _reseal_copy(admin, row, readable=not broken)

    copies += publish_keys(admin, newest=True) + _reseal_lasting(admin)
    progress(len(rows), len(rows))
    return Resealed(values, copies, tuple(unopened))


def _reseal_lasting(admin: Admin) -> int:
    """Renew what stands in Redis only, but for longer than an old key should be needed.

    That is: set-up links, visits and the like.
    """
    names = [
        name.decode()
        for each in redis_keys.OF_SETTING_UP
        for name in admin.redis.scan_iter(each + "*", count=1000)
    ]
    return sum(admin.strongbox.renew(name) for name in names)


def _reseal_row(admin: Admin, row: SealedRow) -> tuple[int, list[Unopened]]:
    """Renew a row in SQL; looks again whenever somebody else was faster."""
    current: SealedRow | None = row
    while current is not None:
        renewed = renew_values(current.values, current.owner, admin.vault, rename=True)
        broken = _unopened(current, renewed.broken)
        if not renewed.values:
            return 0, broken
        with admin.db() as db:
            if replace_sealed(db, current, renewed.values):
                return len(renewed.values), broken
            current = sealed_again(db, current)

    return 0, []  # removed meanwhile


def _unopened(row: SealedRow, broken: Mapping[str, SealBroken]) -> list[Unopened]:
    return [
        Unopened(row.who, row.id, field, key_id_of(row.values[field]), error)
        for field, error in broken.items()
    ]


def _reseal_copy(admin: Admin, row: SealedRow, *, readable: bool) -> bool:
    """Renew a row's working copy, if it has one.

    One that cannot be opened is written anew from SQL, if that can be.
    """
    if row.table in {"deployment", "operators", "webhook_endpoints"}:  # these are in SQL only
        return False

    try:
        if row.table == "tenants":
            return renew_tenant_copy(admin.redis, admin.vault, row.id)
        return renew_connection_copy(admin.redis, admin.vault, ConnectionId(row.id))
    except SealBroken:
        if readable and row.table == "tenants":
            admin.projector.republish_tenant(row.id)
        elif readable:
            admin.projector.republish_connection(ConnectionId(row.id))
        return readable
