"""Why a mail goes on its day, and why one does not, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Final

from certmail_config.base import dates
from certmail_config.campaigns.intervals import Interval

_WEEK: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class WhyNot(StrEnum):
    """Why a mail that a rule names does not go."""

    COMPLETE = "complete"
    TOO_EARLY = "too_early"
    NO_MANAGER = "no_manager"
    MERGED = "merged"
    CAP = "cap"
    MISSED = "missed"


WHY_NOT: Final = {
    WhyNot.COMPLETE: "the review is complete",
    WhyNot.TOO_EARLY: "its day lies before the first day of the campaign",
    WhyNot.NO_MANAGER: "the reviewer has no manager",
    WhyNot.MERGED: "another mail goes to them on that day and stands for it",
    WhyNot.CAP: "it would be one mail more than they may get in seven days",
    WhyNot.MISSED: "its hours are past",
}


def day(value: date) -> str:
    """Such as Wed 2 Dec 2026."""
    return f"{_WEEK[value.weekday()]} {dates.day(datetime.combine(value, time(), UTC))}"


def at_start(start: date) -> str:
    """Of `on = "start"`."""
    return f"the campaign starts on {day(start)}"


def after_start(interval: Interval, start: date, ordinal: int, previous: date) -> str:
    """Of `every`."""
    return f"{interval} after {_previous(ordinal, previous, f'the start on {day(start)}')}"


def before_due(distance: int, due: date) -> str:
    """Of `before_due`, and of `on = "due"`."""
    if not distance:
        return f"it is due on {day(due)}"
    return f"{distance} day{'' if distance == 1 else 's'} before it is due on {day(due)}"


def after_due(interval: Interval, due: date, ordinal: int, previous: date) -> str:
    """Of `overdue` and `overdue_by`."""
    return f"{interval} after {_previous(ordinal, previous, f'it was due on {day(due)}')}"


def after_reminders(count: int, last: date) -> str:
    """Of `escalate_after`."""
    many = "a reminder, that of" if count == 1 else f"{count} reminders, the last on"
    return f"the working day after {many} {day(last)}"


def moved(wanted: date, found: date, off: str) -> str:
    """What is added where a day is no working day; nothing where it is one."""
    if wanted == found:
        return ""
    way = "back" if found < wanted else "forward"
    return f", moved {way} from {day(wanted)} ({off})"


def caught_up(missed: date) -> str:
    """What is added of a mail that goes late."""
    return f"; caught up, since its hours on {day(missed)} are past"


def stands_for(others: Iterable[str]) -> str:
    """What is added of a mail that others were merged into."""
    named = ", ".join(others)
    return f"; stands for {named} too" if named else ""


def together(campaigns: Iterable[str]) -> str:
    """What is added of a digest."""
    return f"; one mail for the campaigns {', '.join(campaigns)}"


def assumed(zone: str) -> str:
    """What is added where the reviewer names no zone."""
    return f"; time zone {zone} assumed"


def by_deputy(deputy: str, away: str, first: date | None, last: date | None) -> str:
    """What is added of a mail that goes to a deputy."""
    since = f" from {day(first)}" if first else ""
    until = f" until {day(last)}" if last else ""
    return f"; goes to {deputy}, deputy of {away}{since}{until}"


def _previous(ordinal: int, previous: date, begin: str) -> str:
    return begin if ordinal == 1 else f"the one before it on {day(previous)}"
