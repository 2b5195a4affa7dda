"""What the ledger need not remember any more: how planned mails ended is written in SQL.

A reminder that an application sends is remembered for CERTMAIL_DEDUPE_DAYS, since it may be sent
again. A planned mail is known by its identity, and is not enqueued again once SQL has its end.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from redis import Redis

from certmail_config.base.ids import JobId
from certmail_config.ledger import forget, run_many

KEPT_SECONDS: Final = 1.5 * 86_400.0
"""For SQL that is put back from last night's copy: what it lacks the ledger still has."""
BATCH: Final = 100
"""Jobs in one step of the server: some two milliseconds."""


def forget_ended(redis: Redis, jobs: Collection[str]) -> None:
    """Keep jobs whose end is written in SQL for a day and a half more; raises RedisError.

    Whoever is killed before it leaves them for as long as others are kept.
    """
    named = [JobId(each) for each in sorted(jobs)]
    pages = [named[start : start + BATCH] for start in range(0, len(named), BATCH)]
    if pages:
        run_many(redis, [forget(each, KEPT_SECONDS) for each in pages])
