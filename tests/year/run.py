"""The year, played: companies connected, campaigns run, mails sent to Google, the clock moved."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
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

    def close(self, record: QuarterRecord) -> None:
        """Judge a campaign that is over."""
        sums, wrong = judge(record)
        self.by_quarter.setdefault(record.quarter.number, Sums()).add(sums)
        self.wrong += wrong


def play_year(year: int, tenants: int, reviewers: int, seed: int, say: Say) -> YearPlayed:
    """Play it; raises Refused, RedisError."""
    started = time.monotonic()
    played, book = YearPlayed(), Book()
    companies = draw_companies(tenants, reviewers, seed)
    quarters = [each for company in companies for each in draw_quarters(company, year, seed)]
    begins = min(each.put_at for each in quarters) - timedelta(hours=1)

    with rehearsal_stores() as admin, google() as at_google:
        at_google.set_clock(begins)
        connected = connect(admin, at_google, companies, begins)
        forget_clock(admin)
        say(f"{tenants} companies are connected after {time.monotonic() - started:.0f} s")

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
