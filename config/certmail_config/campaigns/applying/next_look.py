"""When reviewers are to be planned again if nobody changes anything before. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from certmail_config.campaigns.applying.horizon import becoming_jobs, reviewers_of
from certmail_config.campaigns.applying.mails import FRESHEN, PlannedMail
from certmail_config.campaigns.plan import Moment

CampaignReviewer = tuple[str, str]
"""A reviewer of a campaign: its id, and theirs."""
SOON: Final = timedelta(minutes=1)
UNSETTLED: Final = timedelta(hours=1)
"""So long after somebody is looked at of whose mail nobody knows yet what became of it."""
FIRST_RETRY: Final = timedelta(seconds=30)
LAST_RETRY: Final = timedelta(hours=6)


def next_looks(
    moments: Iterable[Moment],
    mails: Iterable[PlannedMail],
    unsettled: Iterable[CampaignReviewer],
    now: datetime,
) -> dict[CampaignReviewer, datetime]:
    """When each reviewer's next mail becomes a job, or is brought up to date, or has ended.

    After its hours it is known what went, and what was missed is caught up on; of the `unsettled`
    it is not known yet. Who is not named has nothing more to come.
    """
    found = dict.fromkeys(unsettled, now + UNSETTLED)

    def note(reviewers: Iterable[CampaignReviewer], at: datetime) -> None:
        for each in reviewers:
            if each not in found or at < found[each]:
                found[each] = at

    for mail in mails:
        if mail.closes_at is not None:
            note(mail.told_of, mail.closes_at + SOON)
        if mail.at > now + FRESHEN:
            note(mail.told_of, mail.at - FRESHEN)
    for moment, from_ in becoming_jobs(moments):
        if from_ > now:
            note(reviewers_of(moment), from_)

    return {each: max(at, now + SOON) for each, at in found.items()}


def retry_at(failures: int, now: datetime) -> datetime:
    """When planning is tried again that has failed so often in a row."""
    doubled: timedelta = FIRST_RETRY * (1 << min(failures, 20))
    return now + min(doubled, LAST_RETRY)
