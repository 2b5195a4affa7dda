"""The days that the rules of a campaign name, in one calendar and zone. Pure.

Who has finished, what was sent and what has passed does not matter yet: it is all reviewers' of one
place and zone alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from certmail_config.campaigns import why
from certmail_config.campaigns.cadence import CadenceRule, Kind, Recipient
from certmail_config.campaigns.calendar import Days
from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.intervals import NEXT_WORKING_DAY

_ONE_SECOND = timedelta(seconds=1)


class Slot(NamedTuple):
    """One day that a rule names; `place` is the rule's place in the campaign."""

    place: int
    rule: str
    ordinal: int
    day: date
    kind: Kind
    to: Recipient
    why: str
    too_early: bool = False


class Timetable:
    """The days of one campaign in one calendar and zone; itself and nothing else is equal to it."""

    def __init__(self, campaign: Campaign, days: Days) -> None:
        self.campaign = campaign
        self.days = days
        self.first_day = days.first_open(days.local_date(campaign.start), campaign.start)
        """Of the rule `on = "start"`, or the one that it would have."""
        self.due_day = days.local_date(campaign.due - _ONE_SECOND)
        """Midnight belongs to the day that it ends."""
        self.slots = tuple(
            slot for place, rule in enumerate(campaign.rules) for slot in self._of(place, rule)
        )
        self.after_reminders = tuple(
            (place, rule)
            for place, rule in enumerate(campaign.rules)
            if rule.escalate_after is not None
        )
        """Rules whose day only what was sent will tell."""

    def escalation(self, place: int, rule: CadenceRule, last: date) -> Slot:
        """The day of an escalation, given that of the last reminder that it waits for."""
        assert rule.escalate_after is not None, "others have their days from the start"
        day = self.days.after(last, NEXT_WORKING_DAY)
        words = why.after_reminders(rule.escalate_after, last)
        return Slot(place, rule.id, 1, day, rule.sends, rule.goes_to, words)

    def _of(self, place: int, rule: CadenceRule) -> Iterator[Slot]:
        if rule.on == "start":
            start = self.days.local_date(self.campaign.start)
            words = why.at_start(start) + self._moved(start, self.first_day)
            yield self._slot(place, rule, 1, self.first_day, words)
        elif rule.on == "due":
            yield self._before_due(place, rule, 1, 0, rule.sends)
        elif rule.every is not None:
            yield from self._every(place, rule)
        elif rule.before_due is not None:
            for ordinal, distance in enumerate(rule.before_due, 1):
                kind = "final" if ordinal == len(rule.before_due) else rule.sends
                yield self._before_due(place, rule, ordinal, distance, kind)
        elif rule.overdue is not None:
            yield from self._overdue(place, rule)
        elif rule.overdue_by is not None:
            day = self.days.after(self.due_day, rule.overdue_by)
            words = why.after_due(rule.overdue_by, self.due_day, 1, self.due_day)
            yield self._slot(place, rule, 1, day, words)

    def _every(self, place: int, rule: CadenceRule) -> Iterator[Slot]:
        assert rule.every is not None, "asked for"
        previous, ordinal = self.first_day, 1
        while rule.at_most is None or ordinal <= rule.at_most:
            day = self.days.after(previous, rule.every)
            if day >= self.due_day:
                return
            words = why.after_start(rule.every, self.first_day, ordinal, previous)
            yield self._slot(place, rule, ordinal, day, words)
            previous, ordinal = day, ordinal + 1

    def _before_due(
        self, place: int, rule: CadenceRule, ordinal: int, distance: int, kind: Kind
    ) -> Slot:
        wanted = self.due_day - timedelta(days=distance)
        day = self.days.on_or_before(wanted)
        words = why.before_due(distance, self.due_day) + self._moved(wanted, day)
        early = day < self.first_day
        return self._slot(place, rule, ordinal, day, words)._replace(kind=kind, too_early=early)

    def _overdue(self, place: int, rule: CadenceRule) -> Iterator[Slot]:
        assert rule.overdue is not None, "asked for"
        assert rule.at_most is not None, "the rule was refused without it"
        previous = self.due_day
        for ordinal in range(1, rule.at_most + 1):
            day = self.days.after(previous, rule.overdue)
            words = why.after_due(rule.overdue, self.due_day, ordinal, previous)
            yield self._slot(place, rule, ordinal, day, words)
            previous = day

    def _slot(self, place: int, rule: CadenceRule, ordinal: int, day: date, words: str) -> Slot:
        return Slot(place, rule.id, ordinal, day, rule.sends, rule.goes_to, words)

    def _moved(self, wanted: date, day: date) -> str:
        if wanted == day:
            return ""
        works = self.days.opening(wanted) is not None
        return why.moved(wanted, day, "its hours are over" if works else self.days.why_off(wanted))
