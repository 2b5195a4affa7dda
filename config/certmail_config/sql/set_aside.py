"""Looking at the events that the recorder has set aside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection as Db
from sqlalchemy import func, select

from certmail_config.base.redaction import quote
from certmail_config.sql import tables

SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class SetAsideSummary:
    """How many there are, when the last was set aside, and of the newest id and reason."""

    count: int
    last: datetime
    newest: tuple[tuple[str, str], ...]


def summarise_set_aside(db: Db) -> SetAsideSummary:
    """Summarise what was set aside; where nothing was, `last` means nothing."""
    table = tables.set_aside.c
    count = db.execute(select(func.count()).select_from(tables.set_aside)).scalar_one()
    rows = db.execute(
        select(table.id, table.reason, table.at).order_by(table.at.desc()).limit(SHOWN)
    ).all()
    last = rows[0].at if rows else datetime.now(UTC)
    return SetAsideSummary(
        int(count), last, tuple((row.id, quote(row.reason, 100)) for row in rows)
    )
