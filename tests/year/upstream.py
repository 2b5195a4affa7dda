"""The applications of the year's companies: campaigns are put, told of, moved, stopped and removed."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Final

from certmail_config.admin.admin import Admin
from certmail_config.admin.campaigns.progress import report_progress
from certmail_config.admin.campaigns.running import put_campaign, remove_campaign, stop_campaign
from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.plan import Enrolment
from certmail_config.campaigns.reviewer import Reviewer
from certmail_config.campaigns.running.progress import ProgressNews
from certmail_config.sql.campaigns.campaigns import touch
from certmail_worker.rehearsal.stage import put_enrolment
from year.book import Book, QuarterRecord
from year.quarters import Quarter, Told

CALLED_OFF: Final = timedelta(hours=1)
"""So long after a campaign was stopped it is removed: what waited is called off by then."""


class YearUpstream:
    """All of them, in order of time.

    `over` gets each campaign when it is; `take` is asked before that to note what has arrived.
    """

    def __init__(
        self,
        admin: Admin,
        quarters: Iterable[Quarter],
        book: Book,
        take: Callable[[], None],
        over: Callable[[QuarterRecord], None],
    ) -> None:
        self._admin = admin
        self._book = book
        self._take = take
        self._over = over
        self._number = count()
        self._coming: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        for each in quarters:
            self._at(each.put_at, partial(self._put, each))

    def tell(self, now: datetime) -> bool:
        """Do all that is to be done by now."""
        happened = False
        while self._coming and self._coming[0][0] <= now:
            _, _, act = heapq.heappop(self._coming)
            act(now)
            happened = True
        return happened

    def next_at(self) -> datetime | None:
        """When the next of it is to be done."""
        return self._coming[0][0] if self._coming else None

    def _at(self, at: datetime, act: Callable[[datetime], None]) -> None:
        heapq.heappush(self._coming, (at.astimezone(UTC), next(self._number), act))

    def _put(self, quarter: Quarter, now: datetime) -> None:
        reviewers = [Reviewer.model_validate(each) for each in quarter.reviewers]
        campaign = Campaign.model_validate(quarter.campaign)
        put_enrolment(self._admin, Enrolment(campaign, reviewers), now)

        for at, told in quarter.told.items():
            self._at(at, partial(self._tell, quarter, told))
        if quarter.moved is not None:
            self._at(quarter.moved[0], partial(self._move, quarter))
        self._at(quarter.over_at, partial(self._stop, quarter))

    def _tell(self, quarter: Quarter, told: Sequence[Told], now: datetime) -> None:
        news = [
            ProgressNews(
                reviewer=each.reviewer, pending=each.pending, completed=each.completed, at=now
            )
            for each in told
        ]
        report_progress(self._admin, quarter.tenant, quarter.id, news, now=now)
        self._book.done_at[quarter.tenant, quarter.id].update(
            {each.reviewer: now for each in told if each.pending == 0}
        )

    def _move(self, quarter: Quarter, now: datetime) -> None:
        assert quarter.moved is not None, "else nobody asks for it"
        put_campaign(self._admin, Campaign.model_validate(quarter.with_due(quarter.moved[1])))
        self._touch(quarter, now)
        self._book.moved_at[quarter.tenant, quarter.id] = now

    def _stop(self, quarter: Quarter, now: datetime) -> None:
        stop_campaign(self._admin, quarter.tenant, quarter.id)
        self._touch(quarter, now)
        self._at(now + CALLED_OFF, partial(self._remove, quarter))

    def _remove(self, quarter: Quarter, _: datetime) -> None:
        self._take()
        self._over(self._book.close(self._admin, quarter))
        remove_campaign(self._admin, quarter.tenant, quarter.id)

    def _touch(self, quarter: Quarter, now: datetime) -> None:
        """Have it planned now: what is put is otherwise planned by the machine's clock."""
        with self._admin.db() as db:
            touch(db, quarter.tenant, quarter.id, now)
