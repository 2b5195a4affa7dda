"""What a tenant or a connection has under the vault's keys, and the same under the newest of them.

No I/O.

Whoever writes a row or its working copy renews it on the way: else somebody who read it before a
rotation, and writes it after, would bring the old key back.

A value is sealed for its row and for what it is, so that a refresh token that is put into the
column of a private key does not open. Before version 0.2 it was sealed for its row only: what is so
still opens, and `certmail vault rotate` renames it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from certmail_config.base.errors import SealBroken
from certmail_config.crypto.sealing import public_of
from certmail_config.crypto.vault import Vault
from certmail_config.tenants.models import Connection, Tenant

OF_DEPLOYMENT: Final = ("signing_key",)
OF_TENANT: Final = ("private_key", "reply_to")
OF_CONNECTION: Final = ("private_key", "next_private_key", "refresh_token")
OF_WEBHOOK: Final = ("secret", "previous_secret")


@dataclass(frozen=True, slots=True)
class Renewed:
    """Values that have another form under the newest key, and why others cannot be opened.

    Both are by name.
    """

    values: Mapping[str, bytes]
    broken: Mapping[str, SealBroken]


def owner_of(row: str, column: str) -> str:
    """The owner that a column's value is sealed for.

    The next private key will stand in the present one's column, unchanged; the present secret of a
    webhook in the previous one's.
    """
    return f"{row}/{column.removeprefix('next_').removeprefix('previous_')}"


def webhook_row(id_: str, url: str) -> str:
    """What a webhook's secret is sealed for: its endpoint, and the address that it is sent to.

    Whoever can write SQL could lead its messages elsewhere; with another address nothing signs
    them, and nothing is sent.
    """
    return f"webhook/{id_}/{hashlib.sha256(url.encode()).hexdigest()[:16]}"


def seal_for(vault: Vault, value: bytes, row: str, column: str) -> bytes:
    """Seal what is to stand in a column.

    `row` is the tenant's id, the connection's `owner`, or what `webhook_row` gives.
    """
    return vault.seal(value, owner=owner_of(row, column))


def open_from(vault: Vault, sealed: bytes, row: str, column: str) -> bytes:
    """Open what stands in a column; raises SealBroken."""
    return vault.open(sealed, owner=owner_of(row, column), before=row)


def with_own_public_key(vault: Vault, tenant: Tenant) -> Tenant:
    """The tenant with the public half that belongs to its private one; raises SealBroken.

    Whoever can write SQL can write another there, and would read what is sealed to it.
    """
    half = public_of(open_from(vault, tenant.private_key, tenant.id, "private_key"))
    return tenant if half == tenant.public_key else replace(tenant, public_key=half)


def renew_values(
    sealed: Mapping[str, bytes], row: str, vault: Vault, *, rename: bool = False
) -> Renewed:
    """Renew all that can be opened; `rename` also what an older certmail sealed."""
    values: dict[str, bytes] = {}
    broken: dict[str, SealBroken] = {}
    renew = vault.rename if rename else vault.renew

    for name, value in sealed.items():
        try:
            values[name] = renew(value, owner=owner_of(row, name), before=row)
        except SealBroken as error:
            broken[name] = error

    return Renewed({name: value for name, value in values.items() if value != sealed[name]}, broken)


def sealed_in(connection: Connection) -> dict[str, bytes]:
    """A connection's sealed values, by name."""
    return {
        name: value for name in OF_CONNECTION if (value := getattr(connection, name)) is not None
    }


def why_closed(connection: Connection, vault: Vault) -> SealBroken | None:
    """Why nothing of what is sealed in a connection opens.

    None if something does, or nothing is sealed.

    Who has the wrong keys must not seal a working copy that those with the right ones then cannot
    open.
    """
    sealed = sealed_in(connection)
    broken = renew_values(sealed, connection.owner, vault).broken
    return next(iter(broken.values())) if broken and len(broken) == len(sealed) else None


def renew_connection(connection: Connection, vault: Vault, *, rename: bool = False) -> Connection:
    """The same connection under the newest key; what cannot be opened stays as it is."""
    renewed = renew_values(sealed_in(connection), connection.owner, vault, rename=rename)
    changes: dict[str, Any] = dict(renewed.values)
    return replace(connection, **changes)


def renew_tenant(tenant: Tenant, vault: Vault) -> Tenant:
    """The same tenant under the newest key, as `renew_connection`."""
    sealed = {name: value for name in OF_TENANT if (value := getattr(tenant, name)) is not None}
    changes: dict[str, Any] = dict(renew_values(sealed, tenant.id, vault).values)
    return replace(tenant, **changes)
