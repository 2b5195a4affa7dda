"""Reminders that somebody ought to know of, from the record.

Those that wait for a person, and those that failed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection as Db
from sqlalchemy import func, select

from certmail_config.jobs.states import State
from certmail_config.sql import tables

RECENT: Final = timedelta(days=7)
_CODE: Final = 80
"""Characters of a reason that its code is looked for in."""


@dataclass(frozen=True, slots=True)
class ProblemReminders:
    """How many wait for a person, and how many failed lately.

    Each since when; of those that failed also why.
    """

    held: int
    held_since: datetime | None
    failed: tuple[tuple[str, int], ...]
    failed_since: datetime | None


def find_problem_reminders(db: Db, now: datetime) -> ProblemReminders:
    """Ask the record."""
    record = tables.deliveries.c
    waiting = select(func.count(), func.min(record.updated_at)).where(
        record.state == State.UNCERTAIN, record.held.is_(True)
    )
    held, held_since = db.execute(waiting).one()

    code = func.substr(record.reason, 1, _CODE)
    lately = (
        select(code, func.count(), func.min(record.updated_at))
        .where(record.state == State.FAILED, record.updated_at >= now - RECENT)
        .group_by(code)
    )
    failed: Counter[str] = Counter()
    since: datetime | None = None
    for reason, count, first in db.execute(lately):
        failed[(reason or "").partition(":")[0] or "unknown"] += count
        since = first if since is None else min(since, first)

    return ProblemReminders(held, held_since, tuple(failed.most_common()), since)
