"""What happened to a tenant and its connections: opened, suspended, paused, removed, by whom."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection as Db
from sqlalchemy import select

from certmail_config.sql import tables

CERTMAIL: Final = "certmail"
"""The name on record for what certmail did by itself."""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One thing that happened, when (UTC), why, and who did it.

    `connection` is None for the whole tenant.
    """

    at: datetime
    type: str
    connection: str | None
    reason: str | None
    by: str


def read_history(
    db: Db,
    tenant: str,
    *,
    between: tuple[datetime, datetime] | None = None,
    limit: int = 100,
) -> list[HistoryEntry]:
    """The newest of them, or of those `between` two times, the newest first."""
    events = tables.events.c
    where = [events.tenant == tenant, events.job.is_(None)]
    if between is not None:
        first, last = (int(at.timestamp() * 1000) for at in between)
        where.append(events.stream_ms.between(first, last))
    rows = db.execute(
        select(events.at, events.type, events.data)
        .where(*where)
        .order_by(events.stream_ms.desc(), events.stream_n.desc())
        .limit(limit)
    )
    return [_happening(row.at, row.type, json.loads(row.data)) for row in rows]


def _happening(at: datetime, kind: str, data: Mapping[str, str]) -> HistoryEntry:
    code, message = data.get("code", ""), data.get("message", "").replace("\n", " ")
    reason = data.get("reason") or ": ".join(part for part in (code, message) if part) or None
    return HistoryEntry(at, kind, data.get("connection"), reason, data.get("by") or CERTMAIL)
