"""What upstream tells of reviewers' progress, and what the ledger hears of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from certmail_config.admin.admin import Admin
from certmail_config.admin.campaigns.marks import mark_of_pending, unwanted_marks
from certmail_config.admin.campaigns.running import tenant_of_campaigns
from certmail_config.campaigns.running.progress import ProgressNews, ProgressVerdict
from certmail_config.sql.campaigns import campaigns
from certmail_config.sql.campaigns.progress import write_progress

MAX_NEWS: Final = 2000


def report_progress(
    admin: Admin,
    tenant: str,
    id_: str,
    news: Sequence[ProgressNews],
    *,
    now: datetime | None = None,
) -> Sequence[ProgressVerdict | None]:
    """Take news of progress; gives what became of each, None where there is no such reviewer.

    Whoever is done gets nothing more from when this returns. A rehearsal has its own `now`. Raises
    Refused.
    """
    now = now or datetime.now(UTC)
    marks = unwanted_marks(admin, tenant_of_campaigns(admin, tenant))
    with admin.db() as db:
        campaigns.hold(db, tenant, id_)
        written = write_progress(db, tenant, id_, news, now)

        # Of all that were named, not only of those of whom something is new: whoever repeats a
        # request may do so because Redis was away.
        told = {each: mark_of_pending(one.pending) for each, one in written.known.items()}
        if told:
            marks.set_reviewers(id_, told)
        if written.changed:
            campaigns.touch_some(db, tenant, id_, now)

    return written.verdicts
