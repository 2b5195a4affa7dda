"""The cap: how many mails one person gets from a tenant within seven dates. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta

from certmail_config.campaigns.deciding.case import Case, Going

_WEEK = timedelta(days=7)


def keep(
    cases: Sequence[Case], mails: Sequence[Going], sent: Collection[date]
) -> tuple[list[Going], list[Going]]:
    """What goes and what is one too many, of mails in order of time.

    `final` always goes, and counts as all others do. A digest keeps the lowest cap of its
    campaigns.
    """
    dates = sorted(sent)
    going, capped = [], []

    for mail in mails:
        caps = [
            cap
            for part in mail.parts
            if (cap := cases[part.case].timetable.campaign.cap_per_week) is not None
        ]
        lately = sum(1 for each in dates if mail.day - _WEEK < each <= mail.day) if caps else 0
        final = any(part.slot.kind == "final" for part in mail.parts)

        if caps and lately >= min(caps) and not final:
            capped.append(mail)
        else:
            going.append(mail)
            dates.append(mail.day)

    return going, capped
