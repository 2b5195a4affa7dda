"""When campaigns are to be planned again if nobody changes them before. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from certmail_config.campaigns.applying.mails import AHEAD, FRESHEN, PlannedMail
from certmail_config.campaigns.plan import Moment

SOON: Final = timedelta(minutes=1)
FIRST_RETRY: Final = timedelta(seconds=30)
LAST_RETRY: Final = timedelta(hours=6)


def next_looks(
    moments: Iterable[Moment], mails: Iterable[PlannedMail], now: datetime
) -> dict[str, datetime]:
    """When each campaign's next mail is to become a job, or to be brought up to date, or has ended.

    After its hours it is known what went, and what was missed is caught up on. A campaign that is
    not named has nothing more to come.
    """
    found: dict[str, datetime] = {}

    def note(campaigns: Iterable[str], at: datetime) -> None:
        for campaign in campaigns:
            if campaign not in found or at < found[campaign]:
                found[campaign] = at

    for mail in mails:
        campaigns = {each.campaign for each in mail.identities}
        if mail.closes_at is not None:
            note(campaigns, mail.closes_at + SOON)
        if mail.at > now + FRESHEN:
            note(campaigns, mail.at - FRESHEN)
    for moment in moments:
        if moment.at > now + AHEAD:
            parts = [each.campaign for each in moment.parts] or [moment.campaign]
            note(parts, moment.at - AHEAD)

    return {campaign: max(at, now + SOON) for campaign, at in found.items()}


def retry_at(failures: int, now: datetime) -> datetime:
    """When planning is tried again that has failed so often in a row."""
    doubled: timedelta = FIRST_RETRY * (1 << min(failures, 20))
    return now + min(doubled, LAST_RETRY)
