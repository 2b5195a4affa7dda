"""When the mails of a plan can leave under a mailbox's limits, and which come too late. Pure.

A plan says when a mail may leave; a mailbox sends one after the other, and so many in 24 hours. At
each place that is free the most urgent of those whose window is open leaves. Whose window ends
before waits for the next one of its reviewer.
"""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from certmail_config.campaigns.cadence import Kind
from certmail_config.campaigns.calendar import Days, days_of
from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.moments_of_day import Opening
from certmail_config.campaigns.plan import Enrolment, Moment

_DAY: Final = timedelta(days=1)
_URGENT_FIRST: Final[Mapping[Kind, int]] = {
    "final": 0,
    "overdue": 1,
    "escalation": 2,
    "digest": 3,
    "reminder": 4,
    "notice": 5,
}
_AFTER_DUE: Final[frozenset[Kind]] = frozenset({"overdue", "escalation"})
"""What is to leave when it is too late to decide in time."""


class MailboxPace(NamedTuple):
    """What one mailbox may send."""

    per_minute: float
    per_day: int
    """In any 24 hours."""


class Late(NamedTuple):
    """A mail that leaves on a later day than planned."""

    moment: Moment
    leaves: datetime
    after_due: bool
    """Whether it asks for decisions in time, and leaves when that is over."""


class _Waiting(NamedTuple):
    """In the order in which they leave."""

    urgency: int
    at: datetime
    number: int
    moment: Moment


class _Place:
    """The mails of a mailbox to reviewers who share working days: their windows are the same."""

    def __init__(self, days: Days) -> None:
        self.days = days
        self.coming: deque[_Waiting] = deque()
        self.waiting: list[_Waiting] = []
        self._opening: Opening | None = None

    def look(self, now: datetime) -> None:
        """Let in what may leave by now, and find the window that is open, or the next one."""
        while self.coming and self.coming[0].at <= now:
            heapq.heappush(self.waiting, self.coming.popleft())
        if self._opening is None or self._opening.ends <= now:
            day = self.days.first_open(self.days.local_date(now), now)
            self._opening = self.days.opening(day)

    def may_leave(self, now: datetime) -> bool:
        """Whether something waits, and may leave."""
        assert self._opening is not None, "looked at before"
        return bool(self.waiting) and self._opening.begins <= now

    def next(self) -> datetime | None:
        """When something will be let in, or may leave; None if there is nothing more."""
        assert self._opening is not None, "looked at before"
        times = [self.coming[0].at] if self.coming else []
        return min([*times, self._opening.begins] if self.waiting else times, default=None)


def late(
    enrolments: Sequence[Enrolment], moments: Sequence[Moment], pace: MailboxPace
) -> list[Late]:
    """Say which mails leave on a later day than planned, in order of when they leave.

    Each connection of a tenant is a mailbox of its own, with the same pace.
    """
    campaigns = {(each.campaign.tenant, each.campaign.id): each.campaign for each in enrolments}
    days_of_reviewers = _days_of_reviewers(enrolments)
    mailboxes: defaultdict[tuple[str, str], list[tuple[Moment, Days]]] = defaultdict(list)
    for moment in moments:
        days = days_of_reviewers[moment.tenant, moment.campaign, moment.reviewer]
        connection = campaigns[moment.tenant, moment.campaign].connection
        mailboxes[moment.tenant, connection].append((moment, days))

    found = [
        Late(moment, leaves, _after_due(moment, leaves, campaigns))
        for mails in mailboxes.values()
        if not _all_in_time(mails, pace)
        for moment, leaves in _late_of(_places(mails), pace)
    ]
    return sorted(found, key=lambda each: (each.leaves, each.moment.reviewer))


def _all_in_time(mails: Sequence[tuple[Moment, Days]], pace: MailboxPace) -> bool:
    """Whether nothing is late, in whichever order it leaves.

    From a mail that finds the mailbox free to the next one that does, all leave before the first
    window of theirs ends. So it is for most campaigns, and a glance is enough.
    """
    interval = timedelta(minutes=1 / pace.per_minute)
    within_a_day: deque[datetime] = deque()
    free, first_end = mails[0][0].at, _end_of_window(*mails[0])

    for moment, days in mails:
        ends = _end_of_window(moment, days)
        first_end = min(first_end, ends) if moment.at < free else ends
        leaves = max(moment.at, free)
        if leaves >= first_end:
            return False

        within_a_day.append(leaves)
        free = leaves + interval
        if len(within_a_day) >= pace.per_day:
            free = max(free, within_a_day.popleft() + _DAY)

    return True


def _end_of_window(moment: Moment, days: Days) -> datetime:
    opening = days.opening(moment.date)
    assert opening is not None, "mails leave on working days"
    return opening.ends


def _places(mails: Sequence[tuple[Moment, Days]]) -> list[_Place]:
    """The same, each place by itself; they are in order of time."""
    places: dict[Days, _Place] = {}
    for number, (moment, days) in enumerate(mails):
        place = places.get(days) or places.setdefault(days, _Place(days))
        place.coming.append(_Waiting(_URGENT_FIRST[moment.kind], moment.at, number, moment))
    return list(places.values())


def _late_of(places: Sequence[_Place], pace: MailboxPace) -> Iterator[tuple[Moment, datetime]]:
    """Each mail of a mailbox that leaves on another day than planned, and when it does."""
    interval = timedelta(minutes=1 / pace.per_minute)
    within_a_day: deque[datetime] = deque()
    now = min(place.coming[0].at for place in places)

    while True:
        for place in places:
            place.look(now)

        ready = [place for place in places if place.may_leave(now)]
        if not ready:
            coming = [at for place in places if (at := place.next()) is not None]
            if not coming:
                return
            now = min(coming)
            continue

        place = min(ready, key=lambda each: each.waiting[0])
        moment = heapq.heappop(place.waiting).moment
        if place.days.local_date(now) != moment.date:
            yield moment, now

        within_a_day.append(now)
        now += interval
        if len(within_a_day) >= pace.per_day:
            now = max(now, within_a_day.popleft() + _DAY)


def _after_due(
    moment: Moment, leaves: datetime, campaigns: Mapping[tuple[str, str], Campaign]
) -> bool:
    due = campaigns[moment.tenant, moment.campaign].due
    return moment.kind not in _AFTER_DUE and moment.at < due <= leaves


def _days_of_reviewers(enrolments: Sequence[Enrolment]) -> dict[tuple[str, str, str], Days]:
    """The working days of each reviewer."""
    return {
        (each.campaign.tenant, each.campaign.id, row.id): days_of(
            each.campaign.calendar.of(row.country, row.subdivision),
            row.time_zone or each.campaign.time_zone,
        )
        for each in enrolments
        for row in each.reviewers
    }
