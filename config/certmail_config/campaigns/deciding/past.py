"""What is past: it was missed, and at most one of it is caught up. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, datetime, timedelta

from certmail_config.campaigns.calendar import Days
from certmail_config.campaigns.deciding.case import Candidate

_ONE_DAY = timedelta(days=1)


def split(
    days: Days,
    standing: list[Candidate],
    now: datetime,
    *,
    sent: Collection[date],
    taken: Collection[date],
) -> tuple[list[Candidate], list[Candidate]]:
    """What still goes, one that is caught up among it, and what was missed.

    `sent`: the dates of what the campaign sent this person. `taken`: dates on which the person had
    mail from other campaigns of the tenant; what would go then counts as missed.

    What is older than the last mail is not caught up: or each day would have its own catch-up.
    """
    today = days.local_date(now)

    def past(day: date) -> bool:
        return day in taken or days.has_ended(day, now)

    missed = [each for each in standing if past(each.day)]
    ahead = [each for each in standing if not past(each.day)]
    candidates = [each for each in missed if not sent or each.day > max(sent)]
    if not candidates:
        return ahead, missed

    latest = max(candidates, key=_later)
    free = _first_free(days, today, past)
    if any(each.day in {today, free} for each in ahead):
        return ahead, missed

    missed.remove(latest)
    return [*ahead, latest._replace(day=free)], missed


def _later(each: Candidate) -> tuple[date, bool, int]:
    # Of one date the reviewer's own mail goes before an escalation.
    return each.day, each.slot.to == "reviewer", -each.slot.place


def _first_free(days: Days, today: date, past: Callable[[date], bool]) -> date:
    day = days.on_or_after(today)
    while past(day):
        day = days.on_or_after(day + _ONE_DAY)
    return day
