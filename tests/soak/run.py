"""A soak from its beginning to its end: a system, a week of load, calm, and the accounts."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Final

from sqlalchemy import func, select

from certmail_config.base.errors import StoresUnreachable
from certmail_config.sql import tables
from chaos import reading
from chaos.retrying import BUSY, patiently
from soak.book import Book
from soak.facts import Accounts, Plan, Sample, Soaked
from soak.gauges import measure
from soak.google_faults import GoogleFaults
from soak.judging import Late
from soak.passing import Days
from soak.system import System, system
from soak.traffic import Upstream, by_api, by_client
from soak.visiting import Visitors
from support.deployment.deployment import Deployment

SAMPLES: Final = 700
"""About so many are taken of everything."""
LINES: Final = 60
"""About so many lines say how it is getting on."""
FAULT_EVERY: Final = 100
"""Google fails once in so many mails."""
SETTLE_SECONDS: Final = 120.0
NEWEST: Final = 50
API_TURNS: Final = frozenset({1, 4, 7})
"""Of ten reminders these come by the HTTP API."""


_LEFT: Final = (
    select(func.count())
    .select_from(tables.events)
    .where(tables.events.c.job.is_not(None))
    .where(tables.events.c.job.not_in(select(tables.deliveries.c.job)))
)


def soak(plan: Plan, folder: Path, say: Callable[[str], None]) -> Soaked:
    """Let the week pass in a folder of its own."""
    with system(
        folder, plan.week, plan.tenants, workers=plan.workers, sqlite=plan.sqlite, say=say
    ) as running:
        say(f"the week begins: {plan.week.due(plan.week.seconds):,} reminders")
        week = _Week(plan, running)
        with week.under_load():
            week.watch(say)

        say("the week is over; what remains settles")
        week.settle()
        return week.read(_errors(folder))


class _Week:
    """The parts of a week under way."""

    def __init__(self, plan: Plan, running: System) -> None:
        self.plan, self.running = plan, running
        self.over = threading.Event()
        self.book = Book(running.place)
        self.samples: list[Sample] = []
        self.began = time.time()
        self.lost: list[str] = []
        week, tenants = plan.week, plan.tenants

        client_turns = frozenset(range(10)) - API_TURNS
        self.upstreams = [
            Upstream(week, tenants, lambda: by_client(running.redis.url), client_turns, self.over),
            Upstream(
                week,
                tenants,
                lambda: by_api(running.place.gateway, running.key),
                API_TURNS,
                self.over,
            ),
        ]
        self.visitors = Visitors(running, self._newest, self.over)
        self.faults = GoogleFaults(running, tenants, FAULT_EVERY / week.rate, self.over)
        self.days = Days(running, week, tenants, self.book, self.over)

    @property
    def receipts(self) -> dict[str, str]:
        """The tenant of each job, of both upstream applications."""
        # Copied at once, since their threads go on writing.
        return {
            job: tenant for each in self.upstreams for job, tenant in dict(each.receipts).items()
        }

    def _newest(self) -> list[str]:
        # Dictionaries keep their order.
        return [
            job for each in self.upstreams for job in islice(reversed(list(each.receipts)), NEWEST)
        ]

    @contextmanager
    def under_load(self) -> Iterator[None]:
        """Everybody at work; whatever happens, they have ended after it."""
        threads = (*self.upstreams, self.visitors, self.faults, self.days)
        threading.excepthook = self._broken
        self.began = time.time()
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            for upstream in self.upstreams:
                upstream.join(0 if self.over.is_set() else 30)
            self.over.set()
            for thread in threads:
                thread.join(60)
                if thread.is_alive():
                    self.lost.append(f"{type(thread).__name__} did not end")

    def _broken(self, what: threading.ExceptHookArgs) -> None:
        """A thread of the soak's own has ended before its time: nothing is proven then."""
        threading.__excepthook__(what)
        self.lost.append(
            f"{type(what.thread).__name__}: {what.exc_type.__name__}: {what.exc_value}"
        )

    def watch(self, say: Callable[[str], None]) -> None:
        """Measure until the week is over, and say now and then how it is."""
        week, began = self.plan.week, time.monotonic()
        every, say_every = max(week.seconds / SAMPLES, 1.0), max(week.seconds / LINES, 5.0)
        next_line = say_every

        try:
            while (at := time.monotonic() - began) < week.seconds:
                self._sample(at)
                if at >= next_line:
                    next_line += say_every
                    say(self._line(at))
                time.sleep(max(0.0, began + at + every - time.monotonic()))
        except BaseException:
            self.over.set()
            raise

    def _sample(self, at: float) -> None:
        week = self.plan.week
        mailboxes = min(int(week.due(at) * 0.9), len(self.plan.tenants.many))
        try:
            values = measure(self.running)
        except (*BUSY, StoresUnreachable) as error:
            self.lost.append(f"could not be measured: {type(error).__name__}")
            return
        self.samples.append(Sample(at, week.load(at), week.steady(at), mailboxes, values))

    def _line(self, at: float) -> str:
        values, week = self.samples[-1].values, self.plan.week
        since = at - week.hour * 12
        late = sorted(mail.seconds for mail in self._late() if mail.at > since)
        p99 = f"{late[int(len(late) * 0.99)]:.2f} s" if late else "?"
        memory = ", ".join(
            f"{name} {values.get(f'{name}: RSS', 0):.1f}" for name in self.running.judged
        )
        ended = len(self.receipts) - len(self.book.open(self.receipts))
        return (
            f"{at:5.0f} s, {week.name(at)} ({week.load(at)}): {len(self.receipts):,} receipts,"
            f" {ended:,} ended; {memory}, Redis {values['Redis: memory used']:.1f} MB;"
            f" {values['SQL: reminders']:.0f} on record; p99 {p99}"
        )

    def _late(self, *, scheduled: bool = False) -> list[Late]:
        tenants, week = self.plan.tenants.left_alone, self.plan.week
        return list(self.book.lateness(tenants, week, self.began, scheduled=scheduled))

    def settle(self) -> None:
        """Wait until every reminder has ended, for a bounded time; the accounts say who has not."""
        self.running.place.control("DELETE", "/faults")
        deadline = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < deadline:
            patiently(lambda: self.days.pass_one(everything=True))
            if not self.book.open(self.receipts):
                return
            time.sleep(1)

    def _ended(self) -> list[str]:
        return [
            f"{name} has ended by itself"
            for name, process in self.running.processes.items()
            if not isinstance(process, int) and process.poll() is not None
        ]

    def read(self, errors: Counter[str]) -> Soaked:
        """What came of it."""
        place, days = self.running.place, self.days
        asked = place.control("GET", "/requests?path=/messages/send")
        copies = Counter(str(item["certmail_id"]) for item in asked if item["accepted"])
        tokens = len(place.control("GET", "/requests?path=/token"))
        with place.admin.db() as db:
            set_aside = db.execute(select(func.count()).select_from(tables.set_aside)).scalar_one()
            left = db.execute(_LEFT).scalar_one()

        wrong = [
            *self._ended(),
            *_doctor(place),
            *self.lost,
            *self.visitors.wrong,
            *self.faults.missed,
            *days.wrong,
        ]
        for upstream in self.upstreams:
            wrong += upstream.wrong
        return Soaked(
            samples=self.samples,
            judged=self.running.judged,
            mails=self._late(),
            scheduled=self._late(scheduled=True),
            accounts=Accounts(
                self.receipts,
                self.plan.week.due(self.plan.week.seconds),
                self.book.entries,
                copies,
                set_aside,
            ),
            wrong=wrong,
            counts=[
                _counted("faults of Google's", self.faults.ordered),
                _counted("questions answered", self.visitors.asked),
                _counted("held, and decided by hand", days.decided),
                _counted("forgotten", days.forgotten),
                f"events on record of reminders that are forgotten: {left}",
                f"tokens asked for: {tokens:,}; certificates renewed: {days.renewed}",
            ],
            errors=errors,
        )


def _doctor(place: Deployment) -> list[str]:
    return [
        f"doctor: {each['check']}: {each['message']}"
        for each in reading.doctor(place)
        if each["severity"] == "error"
    ]


def _counted(what: str, counts: Counter[str]) -> str:
    parts = ", ".join(f"{name} {n:,}" for name, n in sorted(counts.items()))
    return f"{what}: {counts.total():,} ({parts})"


def _errors(folder: Path) -> Counter[str]:
    """What certmail's logs say at level error."""
    found: Counter[str] = Counter()
    for log in sorted(folder.glob("*.log")):
        for line in log.read_text("utf-8", "replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict) and entry.get("level") in {"error", "critical"}:
                found[f"{log.stem}: {entry.get('event')}"] += 1
    return found
