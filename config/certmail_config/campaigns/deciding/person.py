"""Everything that is decided for one person, in the order in which it depends on each other. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from certmail_config.campaigns.cadence import COUNTED, CadenceRule
from certmail_config.campaigns.deciding import past
from certmail_config.campaigns.deciding.case import Candidate, Case, Decision, Dropped, Going
from certmail_config.campaigns.deciding.digests import gather, single
from certmail_config.campaigns.deciding.one_a_day import merge, merge_escalations
from certmail_config.campaigns.deciding.weekly_cap import keep
from certmail_config.campaigns.slots import Slot
from certmail_config.campaigns.why import WhyNot


def decide(cases: Sequence[Case], now: datetime) -> Decision:
    """Decide what goes to one person, given their part in each campaign of a tenant."""
    own: list[Candidate] = []
    escalations: list[Candidate] = []
    dropped: list[Dropped] = []

    for number, case in enumerate(cases):
        taken = {day for other in cases if other is not case for day in _own_days(other)}
        for each in _of_one_campaign(number, case, taken, now, dropped):
            (own if each.slot.to == "reviewer" else escalations).append(each)

    mails = gather(cases, own, now)
    sent = {day for case in cases for day in _own_days(case)}
    mails, capped = keep(cases, mails, sent)
    dropped += [Dropped(p.case, p.slot, WhyNot.CAP) for mail in capped for p in mail.parts]
    dropped += [Dropped(p.case, p.slot, WhyNot.MERGED) for mail in mails for p in mail.parts[1:]]

    for number, case in enumerate(cases):
        if not case.complete:
            escalations += _still_to_be_counted(number, case, mails, escalations, dropped)

    going = [*mails, *(single(cases, each, now) for each in escalations)]
    return Decision(tuple(going), tuple(dropped))


def _of_one_campaign(
    number: int, case: Case, taken: set[date], now: datetime, dropped: list[Dropped]
) -> Iterable[Candidate]:
    """What one campaign has for the person from now on; what it has not is added to `dropped`."""

    def drop(slots: Iterable[Slot], reason: WhyNot) -> None:
        dropped.extend(Dropped(number, each, reason) for each in slots)

    gone = {(each.rule, each.ordinal) for each in case.sent}
    slots = [*case.timetable.slots, *_counted_already(case)]
    left = [each for each in slots if (each.rule, each.ordinal) not in gone]
    if case.complete:
        drop(left, WhyNot.COMPLETE)
        return []

    drop((each for each in left if each.too_early), WhyNot.TOO_EARLY)
    left = [each for each in left if not each.too_early]
    drop((each for each in left if _nobody(case, each)), WhyNot.NO_MANAGER)
    left = [each for each in left if not _nobody(case, each)]

    mine, merged = merge(number, [s for s in left if s.to == "reviewer"], _own_days(case))
    drop(merged, WhyNot.MERGED)
    others, merged = merge_escalations(case, number, [s for s in left if s.to != "reviewer"])
    drop(merged, WhyNot.MERGED)

    sent = {each.day for each in case.sent}
    ahead, missed = past.split(case.timetable.days, [*mine, *others], now, sent=sent, taken=taken)
    drop((each.slot for each in missed), WhyNot.MISSED)
    return ahead


def _counted_already(case: Case) -> Iterable[Slot]:
    """Escalations whose last reminder was accepted."""
    days = _accepted_days(case)
    for place, rule in case.timetable.after_reminders:
        assert rule.escalate_after is not None, "they are those"
        if len(days) >= rule.escalate_after:
            yield case.timetable.escalation(place, rule, days[rule.escalate_after - 1])


def _still_to_be_counted(
    number: int,
    case: Case,
    mails: Iterable[Going],
    standing: Iterable[Candidate],
    dropped: list[Dropped],
) -> Iterable[Candidate]:
    """Escalations whose last reminder is one of those that go."""
    accepted = _accepted_days(case)
    days = accepted + sorted(
        mail.day
        for mail in mails
        for part in mail.parts
        if part.case == number and part.slot.kind in COUNTED
    )
    gone = {(each.rule, each.ordinal) for each in case.sent}
    slots = [
        case.timetable.escalation(place, rule, days[_count(rule) - 1])
        for place, rule in case.timetable.after_reminders
        if len(accepted) < _count(rule) <= len(days) and (rule.id, 1) not in gone
    ]

    dropped += [Dropped(number, s, WhyNot.NO_MANAGER) for s in slots if _nobody(case, s)]
    found, merged = merge_escalations(
        case,
        number,
        [slot for slot in slots if not _nobody(case, slot)],
        [each for each in standing if each.case == number],
    )
    dropped += [Dropped(number, slot, WhyNot.MERGED) for slot in merged]
    return found


def _count(rule: CadenceRule) -> int:
    assert rule.escalate_after is not None, "only of those"
    return rule.escalate_after


def _nobody(case: Case, slot: Slot) -> bool:
    return slot.to == "manager" and not case.has_manager


def _accepted_days(case: Case) -> list[date]:
    return sorted(each.day for each in case.sent if each.accepted and each.kind in COUNTED)


def _own_days(case: Case) -> set[date]:
    """The dates on which the person had mail of the campaign; escalations went to others."""
    return {each.day for each in case.sent if each.kind != "escalation"}
