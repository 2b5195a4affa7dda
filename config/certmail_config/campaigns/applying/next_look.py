"""When reviewers are to be planned again if nobody changes anything before. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from certmail_config.campaigns.applying.horizon import becoming_jobs, reviewers_of
from certmail_config.campaigns.applying.identity import Identity
from certmail_config.campaigns.applying.mails import FRESHEN, PlannedMail
from certmail_config.campaigns.plan import Moment

CampaignReviewer = tuple[str, str]
"""A reviewer of a campaign: its id, and theirs."""
SOON: Final = timedelta(minutes=1)
AT_LATEST: Final = timedelta(days=1)
"""So long before it may leave a mail becomes a job at the latest, if somebody is looked at before."""
UNSETTLED: Final = timedelta(hours=1)
"""So long after somebody is looked at of whose mail nobody knows yet what became of it."""
FIRST_RETRY: Final = timedelta(seconds=30)
LAST_RETRY: Final = timedelta(hours=6)


def next_looks(
    moments: Iterable[Moment],
    mails: Iterable[PlannedMail],
    outdated: frozenset[Identity],
    unsettled: Iterable[CampaignReviewer],
    now: datetime,
) -> dict[CampaignReviewer, datetime]:
    """When each reviewer's next mail becomes a job, or is brought up to date, or has ended.

    After its hours it is known what went, and what was missed is caught up on; of the `unsettled`
    it is not known yet. `outdated` are mails whose jobs say something else than is left by now:
    whoever tells news of a reviewer has them looked at, so that no others have to be. Who is not
    named has nothing more to come.
    """
    found = dict.fromkeys(unsettled, now + UNSETTLED)
    for mail in mails:
        for at in _of_mail(mail, outdated, now):
            _note(found, mail.told_of, at)

    before = dict(found)
    for moment, from_ in becoming_jobs(moments):
        if from_ > now:
            named = [e for e in reviewers_of(moment) if not _in_time(before.get(e), moment.at)]
            _note(found, named, from_)

    return {each: max(at, now + SOON) for each, at in found.items()}


def _note(
    found: dict[CampaignReviewer, datetime], reviewers: Iterable[CampaignReviewer], at: datetime
) -> None:
    for each in reviewers:
        if each not in found or at < found[each]:
            found[each] = at


def _of_mail(mail: PlannedMail, outdated: frozenset[Identity], now: datetime) -> Iterator[datetime]:
    if mail.closes_at is not None:
        yield mail.closes_at + SOON
    if mail.at > now + FRESHEN and not outdated.isdisjoint(mail.identities):
        yield mail.at - FRESHEN


def _in_time(look: datetime | None, at: datetime) -> bool:
    """Whether a look that comes anyway is early enough to make a job of a mail."""
    return look is not None and look <= at - AT_LATEST


def retry_at(failures: int, now: datetime) -> datetime:
    """When planning is tried again that has failed so often in a row."""
    doubled: timedelta = FIRST_RETRY * (1 << min(failures, 20))
    return now + min(doubled, LAST_RETRY)
