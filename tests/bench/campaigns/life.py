"""What a reviewer of a campaign takes in Redis, from its first day to its last.

Planned, delivered by the ledger's own scripts and recorded, under a clock that runs ahead; looked at
eight times a day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from statistics import fmean
from typing import Any, Final, NamedTuple

from bench.campaigns.turns import record_all
from certmail_config.admin.admin import Admin
from certmail_config.base import redis_keys
from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.reviewer import Reviewer
from certmail_worker.planning.forgetting import KEPT_SECONDS
from support.campaigns.running import RunningCampaigns

BEGINS: Final = datetime(2036, 11, 3, tzinfo=UTC)
"""A Monday."""
STEP: Final = timedelta(hours=3)
DAYS: Final = 63
KEPT: Final = timedelta(seconds=KEPT_SECONDS)


class RedisWeek(NamedTuple):
    """A week of a campaign: bytes of Redis a reviewer, and mails that went to each."""

    begins: date
    mean: float
    peak: float
    mails: float


def life(admin: Admin, campaign: Campaign, people: Sequence[Reviewer]) -> Iterator[RedisWeek]:
    """Each week of a campaign that begins on the first day."""
    running = RunningCampaigns(admin, BEGINS, campaign.tenant)
    used = _Used(admin, len(people))
    running.put(campaign, people)
    weeks: defaultdict[date, list[float]] = defaultdict(list)
    went = 0

    for day in (BEGINS + timedelta(days=n) for n in range(DAYS)):
        monday = day.date() - timedelta(days=day.weekday())
        for at in (day + STEP * n for n in range(8)):
            running.move_to(at)
            used.forget(at)
            running.plan()
            running.work()
            record_all(admin)
            weeks[monday].append(used.now())
        if day.weekday() == 6:
            seen, total = weeks.pop(monday), len(running.delivered)
            yield RedisWeek(monday, fmean(seen), max(seen), (total - went) / len(people))
            went = total


class _Used:
    """What keys take in Redis, and the tables that they stand in.

    Not what the server takes besides: with few reviewers that would be much for each. What a clock
    that runs ahead makes older is forgotten as it would be.
    """

    def __init__(self, admin: Admin, reviewers: int) -> None:
        self._redis, self._reviewers = admin.redis, reviewers
        self._until: dict[bytes, datetime] = {}
        self._empty = self._memory()

    def now(self) -> float:
        """Bytes a reviewer."""
        return (self._memory() - self._empty) / self._reviewers

    def _memory(self) -> int:
        with self._redis.pipeline(transaction=False) as pipe:
            for key in self._redis.scan_iter(count=1000):
                pipe.memory_usage(key, samples=0)
            keys = sum(pipe.execute())
        stats: Any = self._redis.memory_stats()
        return int(keys) + sum(int(each) for each in stats["db.0"].values())

    def forget(self, now: datetime) -> None:
        """What the planner lets go, a day and a half after it did."""
        keys = list(self._redis.scan_iter(redis_keys.JOB + "*", count=1000))
        with self._redis.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.hmget(key, "uncounted", "dedupe")
            found = dict(zip(keys, pipe.execute(), strict=True))

        gone: list[Any] = []
        for key, (uncounted, dedupe) in found.items():
            until = self._until.setdefault(key, now + KEPT) if uncounted else now + KEPT
            if until <= now:
                gone += [key, redis_keys.DEDUPE + dedupe.decode()]
        if gone:
            self._redis.delete(*gone)
