"""What is configured, in SQL: the deployment, its tenants and their connections."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection as Db
from sqlalchemy import RowMapping, Select, insert, select, update
from sqlalchemy.exc import IntegrityError

from certmail_config.base.addresses import kept_address
from certmail_config.base.errors import Refused
from certmail_config.base.ids import ConnectionId, uuid7
from certmail_config.crypto.sealing import new_pair
from certmail_config.crypto.signing import OWNER, new_signing_key
from certmail_config.crypto.vault import Vault
from certmail_config.sql import tables
from certmail_config.tenants.models import (
    DEFAULT_NAME,
    Connection,
    ConnectionKind,
    ConnectionState,
    GoogleLimits,
    Tenant,
)
from certmail_config.tenants.sealed_fields import seal_for

_LIMITS = tuple(limit.name for limit in fields(GoogleLimits))  # columns of the connection
_TENANT_COLUMNS = tuple(column for column in tables.tenants.c if column.name != "created_at")


def deployment_salt(db: Db) -> bytes:
    """The salt of this deployment's mailbox ids, made on first use."""
    query = select(tables.deployment.c.salt)
    found: bytes | None = db.execute(query).scalar_one_or_none()
    if found is None:
        try:
            with db.begin_nested():
                db.execute(insert(tables.deployment).values(id=1, salt=secrets.token_bytes(32)))
        except IntegrityError:
            pass  # another process was first; its salt is the one
        found = bytes(db.execute(query).scalar_one())

    return found


def signing_key(db: Db, vault: Vault) -> bytes:
    """The private half of the deployment's signature, made on first use; raises SealBroken."""
    deployment_salt(db)  # makes the row
    column = tables.deployment.c.signing_key
    if db.execute(select(column)).scalar_one() is None:
        made = vault.seal(new_signing_key(), owner=OWNER)
        db.execute(update(tables.deployment).where(column.is_(None)).values(signing_key=made))
    return vault.open(bytes(db.execute(select(column)).scalar_one()), owner=OWNER)


def add_tenant(
    db: Db,
    vault: Vault,
    tenant: str,
    now: datetime,
    *,
    name: str = "",
    uncertain: str | None = None,
    domains: str = "",
    reply_to: bytes | None = None,
) -> tuple[Tenant, Connection]:
    """Make a tenant and its connection `default`, still a draft.

    Raises Refused if the id is taken.
    """
    private, public = new_pair()
    row = Tenant(
        id=tenant,
        state="active",
        public_key=public,
        private_key=seal_for(vault, private, tenant, "private_key"),
        salt=secrets.token_bytes(32),
        version=1,
        name=name,
        uncertain=uncertain,
        domains=domains,
        reply_to=reply_to,
    )

    try:
        db.execute(insert(tables.tenants).values(**_tenant_row(row), created_at=now))
    except IntegrityError:
        raise Refused(
            "tenant_exists", f"There is a tenant {tenant!r} already.", "Choose another id."
        ) from None

    return row, add_connection(db, tenant, DEFAULT_NAME, now)


def add_connection(db: Db, tenant: str, name: str, now: datetime) -> Connection:
    """Make a draft connection."""
    connection = Connection(
        id=ConnectionId(uuid7(int(now.timestamp() * 1000))), tenant=tenant, name=name
    )
    db.execute(insert(tables.connections).values(**_connection_row(connection), created_at=now))
    return connection


def save_connection(db: Db, connection: Connection) -> Connection:
    """Write a changed connection, with the next version.

    Its limits stay as they are: whoever asks Google between reading and writing must not undo
    `change_limits`. Raises Refused if somebody changed it meanwhile.
    """
    row = {
        name: value for name, value in _connection_row(connection).items() if name not in _LIMITS
    }
    row["version"] = connection.version + 1
    where = (tables.connections.c.id == connection.id) & (
        tables.connections.c.version == connection.version
    )
    if db.execute(update(tables.connections).where(where).values(**row)).rowcount != 1:
        raise _changed_meanwhile(connection)

    return get_connection(db, connection.id)


def note_state(db: Db, connection: Connection) -> Connection:
    """Write only its state, and why; the version stays.

    Raises Refused if somebody changed the connection meanwhile.
    """
    return _note(db, connection, ("state", "code", "message", "remedy", "refused_since"))


def note_next(db: Db, connection: Connection) -> Connection:
    """Write only its next key and certificate; the version stays.

    Raises Refused as `note_state`.
    """
    return _note(db, connection, ("next_private_key", "next_certificate", "next_not_after"))


def _note(db: Db, connection: Connection, names: Sequence[str]) -> Connection:
    table = tables.connections
    where = (table.c.id == connection.id) & (table.c.version == connection.version)
    values = {name: getattr(connection, name) for name in names}
    if db.execute(update(table).where(where).values(**values)).rowcount != 1:
        raise _changed_meanwhile(connection)
    return get_connection(db, connection.id)


def _changed_meanwhile(connection: Connection) -> Refused:
    return Refused(
        "changed_meanwhile",
        f"The connection {connection.id} was changed by somebody else.",
        "Look at it and try again.",
    )


def change_limits(db: Db, connection: ConnectionId, changes: Mapping[str, int]) -> Connection:
    """Write only the limits named; the version stays.

    Raises Refused, and WrongUse for one that is out of bounds.
    """
    replace(get_connection(db, connection).limits, **changes)  # raises, if they make no sense
    db.execute(
        update(tables.connections).where(tables.connections.c.id == connection).values(**changes)
    )
    return get_connection(db, connection)


def change_tenant(db: Db, tenant: str, changes: Mapping[str, str | bytes | None]) -> Tenant:
    """Change its name, its state, its rule for unknown outcomes and the like; raises Refused."""
    # Counted by the database: of two changes at once the working copy must keep the later one.
    values = {**changes, "version": tables.tenants.c.version + 1}
    db.execute(update(tables.tenants).where(tables.tenants.c.id == tenant).values(**values))
    return get_tenant(db, tenant)


def list_tenants(db: Db) -> list[Tenant]:
    """All tenants, by id."""
    query = select(*_TENANT_COLUMNS).order_by(tables.tenants.c.id)
    return [Tenant(**row) for row in db.execute(query).mappings()]


def get_tenant(db: Db, tenant: str) -> Tenant:
    """One tenant; raises Refused."""
    row = _one_row(db, select(*_TENANT_COLUMNS).where(tables.tenants.c.id == tenant), tenant)
    if row is None:
        raise Refused(
            "unknown_tenant",
            f"There is no tenant {tenant!r}.",
            "See `certmail tenants list`, or add it with `certmail tenants add`.",
        )
    return Tenant(**row)


@dataclass(frozen=True, slots=True)
class ConnectionHealth:
    """What the caretaker needs to know of a connection; no key among it."""

    id: ConnectionId
    tenant: str
    version: int
    kind: ConnectionKind | None
    state: ConnectionState
    code: str | None
    not_after: datetime | None
    rotating: bool
    """Its next certificate is to take over."""
    linked: bool
    """It has a refresh token."""
    refused: bool
    """Google has refused it, and it was not seen to work since."""


def connection_health(db: Db) -> list[ConnectionHealth]:
    """The health of every connection."""
    table = tables.connections
    query = select(
        table.c.id,
        table.c.tenant,
        table.c.version,
        table.c.kind,
        table.c.state,
        table.c.code,
        table.c.not_after,
        table.c.next_certificate.is_not(None).label("rotating"),
        table.c.refresh_token.is_not(None).label("linked"),
        table.c.refused_since.is_not(None).label("refused"),
    )

    return [
        ConnectionHealth(
            ConnectionId(row.id),
            row.tenant,
            row.version,
            ConnectionKind(row.kind) if row.kind else None,
            ConnectionState(row.state),
            row.code,
            row.not_after,
            row.rotating,
            row.linked,
            row.refused,
        )
        for row in db.execute(query)
    ]


def tenant_versions(db: Db) -> dict[str, int]:
    """The version of every tenant."""
    return {
        row.id: row.version
        for row in db.execute(select(tables.tenants.c.id, tables.tenants.c.version))
    }


@dataclass(frozen=True, slots=True)
class Named:
    """A connection's name and version; nothing else is read."""

    id: ConnectionId
    tenant: str
    name: str
    version: int


def named_connections(db: Db, tenant: str | None = None) -> list[Named]:
    """All connections, or one tenant's, by name."""
    table = tables.connections
    query = select(table.c.id, table.c.tenant, table.c.name, table.c.version)
    if tenant is not None:
        query = query.where(table.c.tenant == tenant)
    return [
        Named(ConnectionId(row.id), row.tenant, row.name, row.version) for row in db.execute(query)
    ]


def list_connections(db: Db, tenant: str | None = None) -> list[Connection]:
    """All connections, or one tenant's, by tenant and name."""
    query = select(tables.connections).order_by(
        tables.connections.c.tenant, tables.connections.c.name
    )
    if tenant is not None:
        query = query.where(tables.connections.c.tenant == tenant)
    return [_connection(row) for row in db.execute(query).mappings()]


def get_connection(db: Db, id_or_name: str) -> Connection:
    """One connection by its id or as TENANT/NAME; raises Refused."""
    tenant, slash, name = id_or_name.partition("/")
    table = tables.connections
    where = (
        (table.c.tenant == tenant) & (table.c.name == name)
        if slash
        else table.c.id == id_or_name.lower()
    )
    row = _one_row(db, select(table).where(where), id_or_name)

    if row is None:
        # Only from what was given: whoever asks for another tenant's learns nothing of it.
        hint = (
            ""
            if slash
            else f"A connection is named by its id, or as TENANT/NAME: {tenant}/default, say. "
        )
        raise Refused(
            "unknown_connection",
            f"There is no connection {id_or_name!r}.",
            f"{hint}See `certmail connections list`.",
        )

    return _connection(row)


def find_connection(db: Db, tenant: str, name: str) -> Connection | None:
    """A tenant's connection by its name; None where there is none of that name."""
    table = tables.connections
    query = select(table).where(table.c.tenant == tenant, table.c.name == name)
    row = _one_row(db, query, f"{tenant}/{name}")
    return _connection(row) if row is not None else None


def _one_row(db: Db, query: Select[Any], name: str) -> RowMapping | None:
    """The row that has this name; none has one that a database cannot even be asked for."""
    if not name.isascii() or "\0" in name:
        return None
    return db.execute(query).mappings().one_or_none()


def _tenant_row(tenant: Tenant) -> dict[str, Any]:
    return {column.name: getattr(tenant, column.name) for column in _TENANT_COLUMNS}


def _connection_row(connection: Connection) -> dict[str, Any]:
    skipped = {"created_at", *_LIMITS}
    return {
        column.name: getattr(connection, column.name)
        for column in tables.connections.c
        if column.name not in skipped
    } | asdict(connection.limits)


def _connection(row: Mapping[Any, Any]) -> Connection:
    value = {name: row[name] for name in row if name not in {"created_at", *_LIMITS}}
    return Connection(
        **{
            **value,
            "id": ConnectionId(row["id"]),
            "kind": ConnectionKind(row["kind"]) if row["kind"] else None,
            "state": ConnectionState(row["state"]),
            "mailbox": kept_address(row["mailbox"]) if row["mailbox"] else None,
            "limits": GoogleLimits(**{name: row[name] for name in _LIMITS}),
        }
    )
