"""`python -m bench.queries`: what it takes to read a record of a million deliveries.

Asked is each question that command line and API ask of PostgreSQL. It fills a database of its own, asks, shows the plans; exit status 1 if
anything takes 50 ms or more.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection as Db
from sqlalchemy import Engine, event, text

from bench.record_filling import BIG, BIG_CAMPAIGN, QUIET, RARE, SOMEBODY, fill, some_job
from certmail_config.jobs.states import State
from certmail_config.sql.deliveries import Cursor, Filter, read_page
from certmail_config.sql.delivery_story import read_story
from certmail_config.sql.engine import open_database, upgrade
from certmail_config.sql.record.counts import count_hours, count_states
from certmail_config.sql.record.reasons import count_reasons
from certmail_config.sql.retention import undecided
from certmail_config.status.uncertain import uncertain_rows
from certmail_worker.recording.writer import read_position
from support.servers.postgres import postgres

BOUND_MS: Final = 50.0
TIMES: Final = 40
NOW: Final = datetime(2026, 11, 25, tzinfo=UTC)
MONTH: Final = timedelta(days=30)
DAY: Final = timedelta(days=1)


@dataclass(slots=True)
class Asked:
    """One question: how long it took, and how the database went about it."""

    name: str
    times_ms: list[float] = field(default_factory=list)
    plans: list[str] = field(default_factory=list)

    @property
    def median(self) -> float:
        """In how many milliseconds half are answered."""
        return statistics.median(self.times_ms)

    @property
    def slow(self) -> float:
        """In how many milliseconds 95 of 100 are answered; beyond that a busy machine has a say."""
        return statistics.quantiles(self.times_ms, n=20)[-1]


def questions(count: int) -> Iterator[tuple[str, Callable[[Db], object]]]:
    """Every question, each at its worst.

    That is the tenant that has most, what is rare, what is not there, the middle of a long list.
    """
    everywhere = Cursor(NOW - timedelta(seconds=count // 2), "")
    pages: dict[str, Filter] = {
        "all": Filter(),
        "a tenant": Filter(BIG),
        "a small tenant": Filter("tenant-77"),
        "a tenant that has been quiet for months": Filter(QUIET),
        "a campaign of that tenant": Filter(QUIET, BIG_CAMPAIGN),
        "what was accepted of that tenant": Filter(QUIET, state=State.ACCEPTED),
        "a tenant that is not there": Filter("nobody"),
        "a campaign": Filter(campaign=BIG_CAMPAIGN),
        "a recipient": Filter(recipient=SOMEBODY),
        "a recipient of a tenant": Filter(BIG, recipient=SOMEBODY),
        "a recipient in a campaign": Filter(BIG, BIG_CAMPAIGN, SOMEBODY),
        "a state": Filter(state=State.ACCEPTED),
        "a rare state": Filter(state=RARE),
        "a state that is not there": Filter(state=State.DISPATCHED),
        "a tenant's campaign": Filter(BIG, BIG_CAMPAIGN),
        "a tenant's rare state": Filter(BIG, state=RARE),
        "a rare state in a campaign of a tenant": Filter(BIG, BIG_CAMPAIGN, state=RARE),
        "a rare state in a campaign": Filter(campaign=BIG_CAMPAIGN, state=RARE),
        "a month": Filter(since=NOW - 2 * MONTH, until=NOW - MONTH),
        "a tenant's month": Filter(BIG, since=NOW - 2 * MONTH, until=NOW - MONTH),
        "a tenant's rare state in a month": Filter(
            BIG, state=RARE, since=NOW - 2 * MONTH, until=NOW - MONTH
        ),
        "a campaign's month": Filter(BIG, BIG_CAMPAIGN, since=NOW - 2 * MONTH, until=NOW - MONTH),
    }
    for name, wanted in pages.items():
        yield name, partial(read_page, wanted=wanted)
        yield f"{name}, from its middle", partial(read_page, wanted=wanted, after=everywhere)

    yield "story of a reminder", lambda db: read_story(db, some_job(count // 2))
    yield "uncertain list", lambda db: uncertain_rows(db, tenant=None, campaign=None)
    yield "uncertain list of a tenant", lambda db: uncertain_rows(db, tenant=BIG, campaign=None)
    yield (
        "uncertain list of a campaign",
        lambda db: uncertain_rows(db, tenant=BIG, campaign=BIG_CAMPAIGN),
    )
    yield "doubts that nobody settled (retention)", lambda db: undecided(db, NOW - MONTH)
    yield "how far the record is (doctor)", lambda db: read_position(db.engine)


def counts() -> Iterator[tuple[str, Callable[[Db], object]]]:
    """What the console counts, up to a bound: then it does not matter how a database finds them."""
    counted = {
        "all": Filter(),
        "a tenant": Filter(BIG),
        "a campaign": Filter(campaign=BIG_CAMPAIGN),
        "a tenant's campaign": Filter(BIG, BIG_CAMPAIGN),
        "a recipient": Filter(recipient=SOMEBODY),
        "a tenant's month": Filter(BIG, since=NOW - 2 * MONTH, until=NOW - MONTH),
        "a tenant that is not there": Filter("nobody"),
    }
    for name, wanted in counted.items():
        yield f"states of {name}", partial(count_states, wanted=wanted)
        yield f"hours of {name}", partial(count_hours, wanted=wanted, start=NOW - DAY)
        yield f"reasons of {name}", partial(count_reasons, wanted=wanted)


def ask(engine: Engine, name: str, question: Callable[[Db], object], times: int = TIMES) -> Asked:
    """Ask once to see the plans, and then for the time."""
    asked = Asked(name)

    with engine.connect() as db:
        with _heard(engine) as statements:
            question(db)
        asked.plans = [_plan(db, *statement) for statement in statements]

    for _ in range(times):
        with engine.connect() as db:
            begun = time.perf_counter()
            question(db)
            asked.times_ms.append((time.perf_counter() - begun) * 1000)

    return asked


@contextmanager
def _heard(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """The statements that are carried out meanwhile."""
    statements: list[tuple[str, Any]] = []

    def note(_db: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            statements.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


def _plan(db: Db, statement: str, parameters: Any) -> str:
    """The accesses of a plan, in a line."""
    lines = db.exec_driver_sql(f"EXPLAIN (COSTS OFF) {statement}", parameters).scalars()
    steps = [line.strip().removeprefix("->").strip() for line in lines]
    return " < ".join(
        step
        for step in steps
        if not step.startswith(("Index Cond", "Recheck Cond", "Sort Key", "Presorted"))
    )


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(prog="bench.queries", description=__doc__)
    parser.add_argument("--deliveries", type=int, default=1_000_000)
    count = parser.parse_args().deliveries

    with postgres() as server:
        engine = open_database(server.url())
        upgrade(engine)
        begun = time.monotonic()
        fill(engine, count, NOW)
        server.execute("VACUUM ANALYZE")

        with engine.connect() as db:
            size = db.execute(
                text("SELECT pg_size_pretty(pg_database_size(current_database()))")
            ).scalar_one()
            version = db.execute(text("SHOW server_version")).scalar_one()

        _tell(
            f"PostgreSQL {version}, {count:,} deliveries, {size}, filled in {time.monotonic() - begun:.0f} s"
        )
        _tell(f"{'question':58} {'median ms':>10} {'95 % ms':>9}   plan")
        asked = []

        for name, question in (*questions(count), *counts()):
            one = ask(engine, name, question)
            asked.append(one)
            plan = "\n".join([one.plans[0], *(f"{'':81}{more}" for more in one.plans[1:])])
            _tell(f"{name:58} {one.median:10.2f} {one.slow:9.2f}   {plan}")

        engine.dispose()

    if over := [one.name for one in asked if one.median >= BOUND_MS]:
        sys.exit(f"{BOUND_MS:g} ms or more: {', '.join(over)}")
    slowest = max(asked, key=lambda one: one.slow)
    _tell(
        f"Each takes less than {BOUND_MS:g} ms (median of {TIMES}); of the slowest, {slowest.name!r}, 95 of 100 take {slowest.slow:.0f} ms at most."
    )


if __name__ == "__main__":
    main()
