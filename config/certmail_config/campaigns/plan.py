"""The plan: who is reminded when and why, and who is not and why not. A pure function.

A mail's identity is tenant, campaign, reviewer, rule and ordinal, never its instant: a change of
date moves it, and planning again makes none twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import NamedTuple

from certmail_config.base.addresses import recorded_address
from certmail_config.campaigns import why
from certmail_config.campaigns.cadence import Kind
from certmail_config.campaigns.calendar import days_of, holidays_version
from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.deciding.case import Case, Decision, Deputy, Dropped, Going, Went
from certmail_config.campaigns.deciding.person import decide
from certmail_config.campaigns.moments_of_day import tzdata_version
from certmail_config.campaigns.reviewer import Reviewer
from certmail_config.campaigns.sent import Sent
from certmail_config.campaigns.slots import Timetable
from certmail_config.campaigns.why import WhyNot


class DigestPart(NamedTuple):
    """One of the mails that became a digest."""

    campaign: str
    reviewer: str
    rule: str
    ordinal: int
    kind: Kind


class Moment(NamedTuple):
    """A mail that goes; of a digest, `rule` and `ordinal` are those of its most urgent part."""

    tenant: str
    campaign: str
    reviewer: str
    rule: str
    ordinal: int
    date: date
    at: datetime
    kind: Kind
    to: str
    why: str
    parts: tuple[DigestPart, ...] = ()


class NonMoment(NamedTuple):
    """A mail that a rule names and that does not go."""

    tenant: str
    campaign: str
    reviewer: str
    rule: str
    ordinal: int
    date: date
    why: WhyNot


class Versions(NamedTuple):
    """What a plan depends on that nobody wrote into the campaign."""

    holidays: str
    tzdata: str
    certmail: str


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A campaign with its reviewers, and how far it is.

    `pending`: what is left to each reviewer, where that is newer than the reviewer. `sent`: what
    went; what went in a digest is there for each campaign, with its own kind.
    """

    campaign: Campaign
    reviewers: Sequence[Reviewer]
    pending: Mapping[str, int] = field(default_factory=dict)
    sent: Sequence[Sent] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Mails in order of time, then of reviewers; and what is not sent, in order of dates."""

    moments: tuple[Moment, ...]
    non_moments: tuple[NonMoment, ...]
    versions: Versions

    def of(self, reviewers: Collection[str]) -> Plan:
        """What of it is about these reviewers."""
        return Plan(
            tuple(each for each in self.moments if each.reviewer in reviewers),
            tuple(each for each in self.non_moments if each.reviewer in reviewers),
            self.versions,
        )


def versions(certmail: str) -> Versions:
    """The versions that are installed, and certmail's own."""
    return Versions(holidays_version(), tzdata_version(), certmail)


def make_plan(
    enrolments: Sequence[Enrolment],
    now: datetime,
    made_with: Versions,
    *,
    until: date | None = None,
) -> Plan:
    """Plan campaigns, of one tenant or of many; with `until`, what comes after that day is left out.

    Raises NoWorkingDay for a calendar without any.
    """
    moments: list[Moment] = []
    dropped: list[NonMoment] = []
    for part, decision in _decided(enrolments, now, until):
        moments += [_moment(part, going) for going in decision.going]
        dropped += [_non_moment(part, each) for each in decision.dropped]

    return Plan(_in_time(moments), _by_date(dropped), made_with)


def decisions(
    enrolments: Sequence[Enrolment], now: datetime
) -> Iterator[tuple[tuple[str, ...], Decision]]:
    """What is decided for each person, with the campaigns of their cases; nobody is named.

    Many have the very same decision. Raises NoWorkingDay.
    """
    for part, decision in _decided(enrolments, now, None):
        yield tuple(each.campaign.id for each in part), decision


def _decided(
    enrolments: Sequence[Enrolment], now: datetime, until: date | None
) -> Iterator[tuple[list[_Enrolled], Decision]]:
    decided: dict[tuple[Case, ...], Decision] = {}
    for part in _people(enrolments):
        several = len(part) > 1
        cases = tuple(each.case(several=several) for each in part)
        decision = decided.get(cases)
        if decision is None:
            decision = decided[cases] = _up_to(until, decide(cases, now))
        yield part, decision


def _up_to(until: date | None, decision: Decision) -> Decision:
    if until is None:
        return decision
    return Decision(
        tuple(each for each in decision.going if each.day <= until),
        tuple(each for each in decision.dropped if each.slot.day <= until),
    )


class _Enrolled:
    """A reviewer in one campaign, with what that campaign's file and record say of them."""

    __slots__ = ("campaign", "pending", "reviewer", "sent", "timetables")

    def __init__(
        self,
        enrolment: Enrolment,
        reviewer: Reviewer,
        sent: Sequence[Sent],
        timetables: Callable[[str | None, str | None, str | None], Timetable],
    ) -> None:
        self.campaign = enrolment.campaign
        self.reviewer = reviewer
        self.sent = sent
        self.pending = enrolment.pending.get(reviewer.id, reviewer.pending)
        self.timetables = timetables

    def case(self, *, several: bool) -> Case:
        """What a decision on them depends on."""
        reviewer = self.reviewer
        timetable = self.timetables(reviewer.time_zone, reviewer.country, reviewer.subdivision)
        days = timetable.days
        facts = tuple(
            Went(each.rule, each.ordinal, days.local_date(each.at), each.kind, each.accepted)
            for each in self.sent
        )
        deputy = (
            Deputy(reviewer.deputy, reviewer.deputy_from, reviewer.deputy_until)
            if several and reviewer.deputy is not None
            else None
        )
        return Case(
            timetable,
            self.pending == 0,
            reviewer.time_zone is None,
            reviewer.manager is not None,
            reviewer.manager is not None and reviewer.manager == self.campaign.owner,
            facts,
            deputy,
        )


def _people(enrolments: Sequence[Enrolment]) -> Iterable[list[_Enrolled]]:
    """Each person of each tenant, with all campaigns that they are in, in order of their ids."""
    by_tenant: defaultdict[str, list[Enrolment]] = defaultdict(list)
    for each in sorted(enrolments, key=lambda one: one.campaign.id):
        by_tenant[each.campaign.tenant].append(each)

    for of_tenant in by_tenant.values():
        enrolled = [list(_enrolled(each)) for each in of_tenant]
        if len(enrolled) == 1:
            yield from ([each] for each in enrolled[0])
            continue

        people: defaultdict[tuple[str, int], list[_Enrolled]] = defaultdict(list)
        for one in enrolled:
            seen: defaultdict[str, int] = defaultdict(int)
            for this in one:
                # Who is in one campaign twice is two reviewers there, and so elsewhere.
                address = recorded_address(this.reviewer.to)
                people[address, seen[address]].append(this)
                seen[address] += 1
        yield from people.values()


def _enrolled(enrolment: Enrolment) -> Iterator[_Enrolled]:
    campaign = enrolment.campaign
    sent: defaultdict[str, list[Sent]] = defaultdict(list)
    for each in sorted(enrolment.sent, key=lambda one: one.at):
        sent[each.reviewer].append(each)

    @cache
    def timetables(
        time_zone: str | None, country: str | None, subdivision: str | None
    ) -> Timetable:
        calendar = campaign.calendar.of(country, subdivision)
        return Timetable(campaign, days_of(calendar, time_zone or campaign.time_zone))

    for reviewer in enrolment.reviewers:
        yield _Enrolled(enrolment, reviewer, sent.get(reviewer.id, ()), timetables)


def _moment(people: Sequence[_Enrolled], going: Going) -> Moment:
    each = people[going.case]
    reviewer, slot = each.reviewer, going.slot
    to, words = reviewer.to, going.why

    if slot.to == "reviewer":
        if reviewer.deputy is not None and (deputy := reviewer.deputy_on(going.day)):
            to = deputy
            words += why.by_deputy(deputy, reviewer.to, reviewer.deputy_from, reviewer.deputy_until)
    else:
        found = reviewer.manager if slot.to == "manager" else each.campaign.owner
        assert found is not None, "who is nobody is told nothing"
        to = found

    parts = () if len(going.parts) == 1 else tuple(_parts(people, going))
    return Moment(
        each.campaign.tenant,
        each.campaign.id,
        reviewer.id,
        slot.rule,
        slot.ordinal,
        going.day,
        going.at,
        going.kind,
        to,
        words,
        parts,
    )


def _parts(people: Sequence[_Enrolled], going: Going) -> Iterator[DigestPart]:
    for part in going.parts:
        each = people[part.case]
        slot = part.slot
        yield DigestPart(each.campaign.id, each.reviewer.id, slot.rule, slot.ordinal, slot.kind)


def _non_moment(people: Sequence[_Enrolled], dropped: Dropped) -> NonMoment:
    each, slot = people[dropped.case], dropped.slot
    return NonMoment(
        each.campaign.tenant,
        each.campaign.id,
        each.reviewer.id,
        slot.rule,
        slot.ordinal,
        slot.day,
        dropped.why,
    )


def _in_time(moments: Iterable[Moment]) -> tuple[Moment, ...]:
    # Instants are few and reviewers are many: sorting by both at once takes five times as long.
    by_instant: defaultdict[datetime, list[Moment]] = defaultdict(list)
    for each in moments:
        by_instant[each.at].append(each)
    return tuple(
        each
        for at in sorted(by_instant)
        for each in sorted(by_instant[at], key=lambda one: one.reviewer)
    )


def _by_date(dropped: Iterable[NonMoment]) -> tuple[NonMoment, ...]:
    by_day: defaultdict[date, list[NonMoment]] = defaultdict(list)
    for each in dropped:
        by_day[each.date].append(each)
    return tuple(
        each for day in sorted(by_day) for each in sorted(by_day[day], key=lambda one: one.reviewer)
    )
