"""What a rehearsal's upstream tells of reviewers, when it has become time for it."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from certmail_config.admin.admin import Admin
from certmail_config.admin.campaigns.progress import report_progress
from certmail_config.campaigns.running.progress import ProgressNews
from certmail_worker.rehearsal.completions import Completion


class Upstream(Protocol):
    """The application whose campaigns run."""

    def tell(self, now: datetime) -> bool:
        """Tell all that is to be told by now, and say whether there was anything."""
        ...

    def next_at(self) -> datetime | None:
        """When it has something to tell of which new mails come; None where it never has."""
        ...


class CompletionReports:
    """An upstream that says who is done, and nothing else.

    It is heard whenever somebody looks: between two looks nothing leaves, and who is done when
    nothing more is to come changes nothing.
    """

    def __init__(self, admin: Admin, completions: Iterable[Completion]) -> None:
        self._admin = admin
        self._left = deque(sorted(completions))

    def tell(self, now: datetime) -> bool:
        """Report who is done by now."""
        news: defaultdict[tuple[str, str], list[ProgressNews]] = defaultdict(list)
        while self._left and self._left[0].at <= now:
            each = self._left.popleft()
            told = ProgressNews(reviewer=each.reviewer, pending=0, at=each.at)
            news[each.tenant, each.campaign].append(told)

        for (tenant, campaign), page in news.items():
            report_progress(self._admin, tenant, campaign, page, now=now)
        return bool(news)

    def next_at(self) -> None:
        """Nothing comes of somebody who is done."""
