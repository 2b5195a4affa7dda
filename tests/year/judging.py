"""One campaign against its plan: what went, when and to whom. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from certmail_config.jobs.states import State
from year.book import Arrived, QuarterRecord
from year.expected import PUNCTUAL, Expected, MailName, expected_mails

WINDOW: Final = (time(9), time(17))
ENDED: Final = (
    State.ACCEPTED,
    State.SUPPRESSED,
    State.EXPIRED,
    State.UNCERTAIN,
    State.FAILED,
)


@dataclass(slots=True)
class Sums:
    """Campaigns of one quarter, or of all, added up.

    `plan` is how many mails should have gone, `jobs` how many jobs there were in each state,
    `mails` how many left on each day (UTC), `late` how many left so many seconds late.
    """

    plan: int = 0
    jobs: Counter[str] = field(default_factory=Counter)
    mails: Counter[date] = field(default_factory=Counter)
    late: Counter[int] = field(default_factory=Counter)

    def add(self, other: Sums) -> None:
        """Add another's."""
        self.plan += other.plan
        for mine, theirs in (
            (self.jobs, other.jobs),
            (self.mails, other.mails),
            (self.late, other.late),
        ):
            mine.update(theirs)  # type: ignore[arg-type]  # each with its like

    @property
    def punctual(self) -> float:
        """Which share left within minutes of its moment."""
        in_time = sum(n for late, n in self.late.items() if late <= PUNCTUAL.total_seconds())
        return in_time / self.late.total() if self.late else 1.0


def judge(record: QuarterRecord) -> tuple[Sums, list[str]]:
    """The sums of a campaign, and what is wrong with it; nothing, if it went as planned."""
    plan = expected_mails(record.quarter, record.done_at, record.moved_at)
    went = {
        name: job for name, job in record.standing.items() if record.jobs[job] == State.ACCEPTED
    }

    sums = Sums(jobs=Counter(record.jobs.values()))
    sums.plan = sum(not each.may_stay or name in went for name, each in plan.items())
    for name, job in went.items():
        for each in record.arrived.get(job, ()):
            sums.mails[each.at.date()] += 1
            if name in plan:
                sums.late[int((each.at - plan[name].at).total_seconds())] += 1

    where = f"{record.quarter.tenant}/{record.quarter.id}"
    return sums, [f"{where}: {each}" for each in _wrong(record, plan, went)]


def _wrong(
    record: QuarterRecord, plan: dict[MailName, Expected], went: dict[MailName, str]
) -> Iterator[str]:
    for name, each in plan.items():
        if name not in went and not each.may_stay:
            yield f"{_words(name)} should have gone at {each.at:%Y-%m-%d %H:%M} and did not"
    for name in went.keys() - plan.keys():
        yield f"{_words(name)} went, and the plan has no such mail"
    for job, state in record.jobs.items():
        if state not in ENDED:
            yield f"job {job} is still {state}"

    yield from _wrong_at_google(record, went)
    yield from _wrong_mails(record, plan, went)


def _wrong_mails(
    record: QuarterRecord, plan: dict[MailName, Expected], went: dict[MailName, str]
) -> Iterator[str]:
    zones = {each["id"]: ZoneInfo(each["time_zone"]) for each in record.quarter.reviewers}
    dates: Counter[tuple[str, date]] = Counter()

    for name, job in went.items():
        for mail in record.arrived.get(job, ()):
            local = mail.at.astimezone(zones[name.reviewer])
            yield from _wrong_mail(record, name, plan.get(name), mail, local)
            if name not in plan or plan[name].kind != "escalation":
                dates[name.reviewer, local.date()] += 1

    for (reviewer, day), times in dates.items():
        if times > 1:
            yield f"{reviewer} had {times} mails on {day}"


def _wrong_at_google(record: QuarterRecord, went: dict[MailName, str]) -> Iterator[str]:
    jobs = Counter(went.values())
    for job, times in jobs.items():
        if times > 1:
            yield f"job {job} stands for {times} mails"
        if not record.arrived.get(job):
            yield f"job {job} is accepted, and Google has no mail of it"
    for job, copies in record.arrived.items():
        if len(copies) > 1:
            yield f"Google has {len(copies)} mails of job {job}"
        if job not in jobs:
            yield f"Google has a mail of job {job}, which is {record.jobs[job]}"
        for each in copies:
            if each.mailbox != f"access-reviews@{record.quarter.tenant}.example":
                yield f"job {job} left from {each.mailbox}"


def _wrong_mail(
    record: QuarterRecord, name: MailName, wanted: Expected | None, mail: Arrived, local: datetime
) -> Iterator[str]:
    done = record.done_at.get(name.reviewer)
    if done is not None and mail.at >= done:
        yield f"{_words(name)} went at {mail.at:%Y-%m-%d %H:%M}, after {done:%Y-%m-%d %H:%M}, when they were done"
    if not WINDOW[0] <= local.time() < WINDOW[1]:
        yield f"{_words(name)} went at {local:%H:%M} of the reviewer's time"
    if wanted is None:
        return
    if mail.to != wanted.to:
        yield f"{_words(name)} went to {mail.to}, not to {wanted.to}"
    if mail.at < wanted.at:
        yield f"{_words(name)} went before its moment"


def _words(name: MailName) -> str:
    return f"{name.rule} {name.ordinal} of {name.reviewer}"
