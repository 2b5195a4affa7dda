"""The year, played: companies connected, campaigns run, mails sent to Google, the clock moved."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from certmail_worker.rehearsal.run_through import RunThrough
from certmail_worker.rehearsal.stage import forget_clock, rehearsal_stores
from year.book import Book, QuarterRecord
from year.companies import draw_companies
from year.connecting import connect
from year.gmail_outlet import gmail_outlet
from year.google import google
from year.judging import Sums, judge
from year.quarters import draw_quarters
from year.upstream import YearUpstream

TAKEN: Final = 4_000
"""So many mails the sandbox keeps at most, with all that is in them."""
Say = Callable[[str], None]


@dataclass(slots=True)
class YearPlayed:
    """What came of it.

    `answers` counts Gmail's by their status, `seconds` is how long it really took.
    """

    by_quarter: dict[int, Sums] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def whole(self) -> Sums:
        """All quarters together."""
        found = Sums()
        for each in self.by_quarter.values():
            found.add(each)
        return found

    def add(self, other: YearPlayed) -> None:
        """Add what came of other companies' year, which was played beside this one."""
        for number, sums in other.by_quarter.items():
            self.by_quarter.setdefault(number, Sums()).add(sums)
        self.wrong += other.wrong
        self.answers.update(other.answers)
        self.seconds = max(self.seconds, other.seconds)

    def close(self, record: QuarterRecord) -> None:
        """Judge a campaign that is over."""
        sums, wrong = judge(record)
        self.by_quarter.setdefault(record.quarter.number, Sums()).add(sums)
        self.wrong += wrong


@dataclass(frozen=True, slots=True)
class YearPlan:
    """What is played: so many companies with so many reviewers each, drawn from a seed.

    They are shared out between so many deployments.
    """

    year: int
    tenants: int
    reviewers: int
    seed: int = 1
    deployments: int = 1


def play_year(plan: YearPlan, say: Say) -> YearPlayed:
    """Play it, in a process for each deployment where there are several."""
    if plan.deployments == 1:
        return play_deployment(plan, 0, say)

    played = YearPlayed()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(plan.deployments, mp_context=context) as pool:
        parts = [pool.submit(_play_aside, plan, number) for number in range(plan.deployments)]
        for part in parts:
            played.add(part.result())
    return played


def _play_aside(plan: YearPlan, number: int) -> YearPlayed:
    def say(line: str) -> None:
        sys.stderr.write(f"{number + 1}: {line}\n")
        sys.stderr.flush()

    return play_deployment(plan, number, say)


def play_deployment(plan: YearPlan, number: int, say: Say) -> YearPlayed:
    """Play the year of one deployment; raises Refused, RedisError."""
    started = time.monotonic()
    played, book = YearPlayed(), Book()
    companies = draw_companies(plan.tenants, plan.reviewers, plan.seed)[number :: plan.deployments]
    quarters = [each for one in companies for each in draw_quarters(one, plan.year, plan.seed)]
    begins = min(each.put_at for each in quarters) - timedelta(hours=1)

    with rehearsal_stores() as admin, google() as at_google:
        at_google.set_clock(begins)
        connected = connect(admin, at_google, companies, begins)
        forget_clock(admin)
        say(f"{len(companies)} companies are connected after {time.monotonic() - started:.0f} s")

        with gmail_outlet(connected, at_google) as outlet:

            def take() -> None:
                book.note_arrived(at_google.take_messages())

            upstream = YearUpstream(admin, quarters, book, take, played.close)
            through = RunThrough(connected.stage, outlet, begins, upstream)
            progress = _Progress(begins, say, started)
            taken = 0

            def tell(now: datetime) -> None:
                nonlocal taken
                sent = outlet.answers.total()
                if sent - taken >= TAKEN:
                    take()
                    taken = sent
                progress.tell(now, sent, len(played.wrong))

            through.play(tell)
            played.answers = outlet.answers

    played.seconds = time.monotonic() - started
    return played


class _Progress:
    """A line for each week."""

    def __init__(self, begins: datetime, say: Say, started: float) -> None:
        self._next = begins + timedelta(weeks=1)
        self._say = say
        self._started = started

    def tell(self, now: datetime, sent: int, wrong: int) -> None:
        """Say how far it is, if a week has passed."""
        if now < self._next:
            return
        while self._next <= now:
            self._next += timedelta(weeks=1)
        took = time.monotonic() - self._started
        ill = f", {wrong:,} wrong" if wrong else ""
        self._say(f"{now:%Y-%m-%d}  {sent:9,} mails  {took:6.0f} s{ill}")
