"""What several campaigns of a tenant have for one person on one date becomes one mail. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from certmail_config.campaigns import why
from certmail_config.campaigns.deciding.case import Candidate, Case, Going
from certmail_config.campaigns.deciding.one_a_day import urgency


def gather(cases: Sequence[Case], standing: Iterable[Candidate], now: datetime) -> list[Going]:
    """The mails to one person, one for each date and whoever gets it, in order of time."""
    by_mail: defaultdict[tuple[date, str | None], list[Candidate]] = defaultdict(list)
    for each in standing:
        by_mail[each.day, _deputy(cases[each.case], each.day)].append(each)

    mails = [_mail(cases, sorted(parts, key=_order), now) for parts in by_mail.values()]
    return sorted(mails, key=lambda each: (each.day, each.at))


def single(cases: Sequence[Case], candidate: Candidate, now: datetime) -> Going:
    """A mail of one part, such as an escalation."""
    return _mail(cases, [candidate], now)


def _deputy(case: Case, day: date) -> str | None:
    return case.deputy.to if case.deputy and case.deputy.on(day) else None


def _order(each: Candidate) -> tuple[tuple[int, int, int], int]:
    return urgency(each.slot), each.case


def _mail(cases: Sequence[Case], parts: list[Candidate], now: datetime) -> Going:
    first = parts[0]
    at = min(_at(cases[each.case], each, now) for each in parts)
    words = _why(cases[first.case], first)
    if len(parts) == 1:
        return Going(first.case, first.slot, first.day, at, first.slot.kind, words, tuple(parts))

    named = [cases[each.case].timetable.campaign.id for each in parts]
    return Going(
        first.case, first.slot, first.day, at, "digest", words + why.together(named), tuple(parts)
    )


def _at(case: Case, each: Candidate, now: datetime) -> datetime:
    campaign = case.timetable.campaign
    starts = campaign.rules[each.slot.place].on == "start"
    return case.timetable.days.at(each.day, now, *([campaign.start] if starts else []))


def _why(case: Case, each: Candidate) -> str:
    late = why.caught_up(each.slot.day) if each.caught_up else ""
    others = why.stands_for(f"{other.rule} {other.ordinal}" for other in each.stands_for)
    zone = why.assumed(case.timetable.days.zone_name) if case.zone_assumed else ""
    return f"{each.slot.why}{late}{others}{zone}"
