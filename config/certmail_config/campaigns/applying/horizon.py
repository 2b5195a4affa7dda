"""How far ahead the mails of a plan become jobs. Pure.

A job takes more than a kilobyte of Redis, and is withdrawn whenever its mail moves: so nobody has
more of them than an outage of whoever plans makes worth it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from certmail_config.campaigns.applying.identity import BY_HAND
from certmail_config.campaigns.plan import Moment

AHEAD: Final = timedelta(days=7)
"""So long before it may leave a reviewer's next mail becomes a job."""
NEAR: Final = timedelta(hours=36)
"""So long before it may leave any mail does."""


def becoming_jobs(moments: Iterable[Moment]) -> Iterator[tuple[Moment, datetime]]:
    """Each moment, in their order, with the time from which its mail is to be a job.

    What was asked for by hand is nobody's next mail, nor is an escalation: that goes to somebody
    else, and may never come.
    """
    begun: set[tuple[str, str]] = set()

    for moment in moments:
        if moment.rule == BY_HAND or moment.kind == "escalation":
            yield moment, moment.at - NEAR
            continue
        people = reviewers_of(moment)
        yield moment, moment.at - (NEAR if begun.issuperset(people) else AHEAD)
        begun.update(people)


def reviewers_of(moment: Moment) -> list[tuple[str, str]]:
    """Whom a moment tells of: campaign and reviewer of each."""
    parts = [(each.campaign, each.reviewer) for each in moment.parts]
    return parts or [(moment.campaign, moment.reviewer)]
