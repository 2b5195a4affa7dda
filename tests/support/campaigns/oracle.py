"""A plan by another hand: from the words of the specification, with another library of times.

It shares nothing with what it judges: TOML's own values go in, plain tuples come out. One campaign;
what was sent is given as it is to `certmail campaign plan --sent`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

import holidays
import whenever
from whenever import Date, Instant, Time, ZonedDateTime

whenever.reset_tzpath(())  # the package's zones, not the machine's

URGENT = ["final", "overdue", "reminder", "notice"]
NAMES = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Goes(NamedTuple):
    """A mail that goes."""

    at: str
    reviewer: str
    rule: str
    ordinal: int
    kind: str
    to: str


class Not(NamedTuple):
    """One that does not."""

    date: str
    reviewer: str
    rule: str
    ordinal: int
    why: str


class Day(NamedTuple):
    """A rule's day."""

    date: Date
    rule: dict[str, Any]
    ordinal: int
    kind: str


class Oracle:
    """The plan of one reviewer."""

    def __init__(
        self,
        campaign: dict[str, Any],
        reviewer: dict[str, Any],
        now: str,
        sent: list[dict[str, Any]],
    ) -> None:
        self.rules = campaign["rule"]
        self.campaign, self.reviewer = campaign, reviewer
        self.calendar = campaign.get("calendar", {})
        self.zone = reviewer.get("time_zone") or campaign["time_zone"]
        self.now = Instant(now)
        self.start, self.due = Instant(campaign["start"]), Instant(campaign["due"])
        self.cap = campaign.get("cap_per_week")
        self.sent = [(each, self.local(Instant(each["at"]))) for each in sent]

        country, part = self.calendar.get("country"), self.calendar.get("subdivision")
        if reviewer.get("country"):
            country, part = reviewer["country"], reviewer.get("subdivision")
        elif reviewer.get("subdivision"):
            part = reviewer["subdivision"]
        self.free = holidays.country_holidays(country, subdiv=part) if country else None

    # Days.

    def local(self, instant: Instant) -> Date:
        return instant.to_tz(self.zone).date()

    def works(self, day: Date) -> bool:
        if day in self.calendar.get("open", []):
            return True
        plain = date(day.year, day.month, day.day)
        if self.free is not None:
            off = plain in self.free
            weekend = plain.weekday() in self.free.weekend
        else:
            off, weekend = False, plain.weekday() >= 5
        if self.calendar.get("days"):
            weekend = NAMES[plain.weekday()] not in self.calendar["days"]
        return not weekend and not off and day not in self.calendar.get("closed", [])

    def edge(self, day: Date, place: int) -> ZonedDateTime:
        text = self.calendar.get("window", "09:00-17:00").split("-")[place]
        if text == "24:00":
            day, text = day.add(days=1), "00:00"
        return day.at(Time(text)).assume_tz(self.zone, disambiguation="compatible")

    def over(self, day: Date, instant: Instant) -> bool:
        return self.edge(day, 1).to_instant() <= instant

    def roll(self, day: Date, step: int) -> Date:
        while not self.works(day):
            day = day.add(days=step)
        return day

    def beyond(self, day: Date, text: str) -> Date:
        number = int(text.split(maxsplit=1)[0])
        if "working" not in text:
            return self.roll(day.add(days=number), 1)
        while number:
            day = day.add(days=1)
            number -= self.works(day)
        return day

    def open_from(self, day: Date, instant: Instant) -> Date:
        day = self.roll(day, 1)
        while self.over(day, instant):
            day = self.roll(day.add(days=1), 1)
        return day

    # Rules.

    def all(self) -> Iterator[Day]:
        first = self.open_from(self.local(self.start), self.start)
        due = self.local(self.due.subtract(seconds=1))
        for rule in self.rules:
            if rule.get("on") == "start":
                yield Day(first, rule, 1, rule["kind"])
            if rule.get("on") == "due":
                early = self.roll(due, -1) < first
                yield Day(self.roll(due, -1), rule, 1, "too_early" if early else rule["kind"])
            if "every" in rule:
                day, number = self.beyond(first, rule["every"]), 1
                while day < due and number <= rule.get("at_most", 10**6):
                    yield Day(day, rule, number, rule["kind"])
                    day, number = self.beyond(day, rule["every"]), number + 1
            for number, distance in enumerate(rule.get("before_due", []), 1):
                day = self.roll(due.subtract(days=distance), -1)
                last = number == len(rule["before_due"])
                kind = "final" if last else rule["kind"]
                yield Day(day, rule, number, "too_early" if day < first else kind)
            if "overdue" in rule:
                day = due
                for number in range(1, rule["at_most"] + 1):
                    day = self.beyond(day, rule["overdue"])
                    yield Day(day, rule, number, rule["kind"])
            if "overdue_by" in rule:
                yield Day(self.beyond(due, rule["overdue_by"]), rule, 1, "escalation")

    def counted(self) -> list[Date]:
        kinds = {"reminder", "final", "overdue"}
        return sorted(day for each, day in self.sent if each["kind"] in kinds)

    def escalations(self, days: list[Date]) -> Iterator[Day]:
        for rule in self.rules:
            number = rule.get("escalate_after")
            if number is not None and number <= len(days):
                yield Day(self.beyond(days[number - 1], "1 working day"), rule, 1, "escalation")

    # All of it.

    def plan(self) -> tuple[set[Goes], set[Not]]:
        gone = {(each["rule"], each["ordinal"]) for each, _ in self.sent}
        refused: list[tuple[Day, str]] = []
        left = [*self.all(), *self.escalations(self.counted())]
        left = [each for each in left if (each.rule["id"], each.ordinal) not in gone]
        if self.reviewer.get("pending") == 0:
            return set(), {self.no(each, "complete") for each in left}

        refused += [(each, "too_early") for each in left if each.kind == "too_early"]
        left = [each for each in left if each.kind != "too_early"]
        refused += [(each, "no_manager") for each in left if self.nobody(each)]
        left = [each for each in left if not self.nobody(each)]

        stays = self.one_a_day(left, refused)
        goes = self.capped(self.past(stays, refused), refused)
        days = self.counted() + sorted(
            day for each, day in goes if each.kind in {"reminder", "final", "overdue"}
        )
        for each in self.escalations(days):
            told = {(other.rule["id"], other.ordinal) for other, _ in goes}
            told |= gone | {(other.rule["id"], other.ordinal) for other, _ in refused}
            if (each.rule["id"], 1) in told:
                continue
            if self.nobody(each):
                refused.append((each, "no_manager"))
            elif any(
                day == each.date and self.boss(other) == self.boss(each)
                for other, day in goes
                if other.kind == "escalation"
            ):
                refused.append((each, "merged"))
            else:
                goes.append((each, each.date))

        return {self.go(each, day) for each, day in goes}, {self.no(*each) for each in refused}

    def one_a_day(self, left: list[Day], refused: list[tuple[Day, str]]) -> list[Day]:
        stays: list[Day] = []
        had = {day for each, day in self.sent if each["kind"] != "escalation"}
        for day in sorted({each.date for each in left}):
            own = [each for each in left if each.date == day and each.kind != "escalation"]
            own.sort(key=lambda each: URGENT.index(each.kind))
            if own and day not in had:
                stays.append(own.pop(0))
            refused += [(each, "merged") for each in own]
            told: set[str | None] = set()
            for each in left:
                if each.date == day and each.kind == "escalation":
                    if self.boss(each) in told:
                        refused.append((each, "merged"))
                    else:
                        stays.append(each)
                    told.add(self.boss(each))
        return stays

    def past(self, stays: list[Day], refused: list[tuple[Day, str]]) -> list[tuple[Day, Date]]:
        missed = [each for each in stays if self.over(each.date, self.now)]
        ahead = [(each, each.date) for each in stays if not self.over(each.date, self.now)]
        after = max((day for _, day in self.sent), default=Date.MIN)
        late = [each for each in missed if each.date > after]
        if late:
            today = self.local(self.now)
            there = self.open_from(today, self.now)
            if not any(day in {today, there} for _, day in ahead):
                last = max(each.date for each in late)
                best = [each for each in late if each.date == last]
                best.sort(key=lambda each: each.kind == "escalation")
                missed.remove(best[0])
                ahead.append((best[0], there))
        refused += [(each, "missed") for each in missed]
        return ahead

    def capped(
        self, stays: list[tuple[Day, Date]], refused: list[tuple[Day, str]]
    ) -> list[tuple[Day, Date]]:
        if self.cap is None:
            return stays
        had = {day for each, day in self.sent if each["kind"] != "escalation"}
        goes = []
        for each, day in sorted(stays, key=lambda pair: pair[1]):
            if each.kind == "escalation":
                goes.append((each, day))
                continue
            week = [other for other in had if day.subtract(days=6) <= other <= day]
            if len(week) >= self.cap and each.kind != "final":
                refused.append((each, "cap"))
            else:
                had.add(day)
                goes.append((each, day))
        return goes

    def boss(self, each: Day) -> str | None:
        owner: str = self.campaign["owner"]
        return owner if each.rule.get("to") == "owner" else self.reviewer.get("manager")

    def nobody(self, each: Day) -> bool:
        return each.kind == "escalation" and self.boss(each) is None

    def go(self, each: Day, day: Date) -> Goes:
        begins, ends = self.edge(day, 0).to_instant(), self.edge(day, 1).to_instant()
        at = begins
        for other in [self.now, *([self.start] if each.rule.get("on") == "start" else [])]:
            if begins <= other < ends and other > at:
                at = other
        to = self.reviewer["to"]
        if each.kind == "escalation":
            to = self.boss(each)
        elif self.reviewer.get("deputy"):
            first, last = self.reviewer["deputy_from"], self.reviewer["deputy_until"]
            to = self.reviewer["deputy"] if first <= str(day) <= last else to
        return Goes(str(at), self.reviewer["id"], each.rule["id"], each.ordinal, each.kind, to)

    def no(self, each: Day, why: str) -> Not:
        return Not(str(each.date), self.reviewer["id"], each.rule["id"], each.ordinal, why)


def expected(
    campaign: dict[str, Any],
    reviewers: list[dict[str, Any]],
    now: str,
    sent: list[dict[str, Any]] | None = None,
) -> tuple[set[Goes], set[Not]]:
    """What goes, and what does not."""
    goes: set[Goes] = set()
    refused: set[Not] = set()
    for each in reviewers:
        own = [one for one in sent or [] if one["reviewer"] == each["id"]]
        more, less = Oracle(campaign, each, now, own).plan()
        goes |= more
        refused |= less
    return goes, refused
