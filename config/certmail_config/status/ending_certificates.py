"""Certificates that end soon, or have ended: whose reminders will wait if nobody makes the next one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection as Db
from sqlalchemy import select

from certmail_config.base.ids import ConnectionId
from certmail_config.sql import tables
from certmail_config.tenants.models import ConnectionKind

SOON: Final = timedelta(days=30)
"""As the caretaker first warns."""


@dataclass(frozen=True, slots=True)
class EndingCertificate:
    """A connection whose certificate ends at a time; `rotating`: the next one waits for its upload."""

    connection: ConnectionId
    tenant: str
    name: str
    not_after: datetime
    rotating: bool


def ending_certificates(
    db: Db, now: datetime, *, tenants: Collection[str] | None = None, limit: int
) -> list[EndingCertificate]:
    """Those that end within 30 days, the first to end first; of these tenants, or of all."""
    table = tables.connections.c
    query = (
        select(
            table.id,
            table.tenant,
            table.name,
            table.not_after,
            table.next_certificate.is_not(None).label("rotating"),
        )
        .where(table.kind == ConnectionKind.CUSTOMER_OWNED_APP, table.not_after < now + SOON)
        .order_by(table.not_after, table.id)
        .limit(limit)
    )
    if tenants is not None:
        query = query.where(table.tenant.in_(sorted(tenants)))

    return [
        EndingCertificate(
            ConnectionId(row.id), row.tenant, row.name, row.not_after, bool(row.rotating)
        )
        for row in db.execute(query)
    ]
