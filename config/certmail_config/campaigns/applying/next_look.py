"""When a campaign is to be planned again if nobody changes it before. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from certmail_config.campaigns.applying.mails import AHEAD, FRESHEN, PlannedMail, identities_of
from certmail_config.campaigns.plan import Moment

SOON: Final = timedelta(minutes=1)
FIRST_RETRY: Final = timedelta(seconds=30)
LAST_RETRY: Final = timedelta(hours=6)


def next_look(
    campaign: str, moments: Iterable[Moment], mails: Iterable[PlannedMail], now: datetime
) -> datetime | None:
    """When its next mail is to become a job, or is brought up to date, or its hours have ended.

    After its hours it is known what went, and what was missed is caught up on. None: never.
    """
    own = [each for each in mails if any(one.campaign == campaign for one in each.identities)]
    times = [each.closes_at + SOON for each in own if each.closes_at is not None]
    times += [each.at - FRESHEN for each in own if each.at > now + FRESHEN]
    times += [
        each.at - AHEAD
        for each in moments
        if each.at > now + AHEAD and any(one.campaign == campaign for one in identities_of(each))
    ]
    return max(min(times), now + SOON) if times else None


def retry_at(failures: int, now: datetime) -> datetime:
    """When planning is tried again that has failed so often in a row."""
    doubled: timedelta = FIRST_RETRY * (1 << min(failures, 20))
    return now + min(doubled, LAST_RETRY)
