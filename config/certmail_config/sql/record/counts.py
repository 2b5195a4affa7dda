"""Counting no further than people want to know: how much is in which state, and in which hour.

A page must not take longer the more is on record. Each state is counted by the index of its own
page, and up to a bound.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Select, extract, func, literal, select, union_all
from sqlalchemy import Connection as Db

from certmail_config.jobs.states import State
from certmail_config.sql import tables
from certmail_config.sql.deliveries import Filter
from certmail_config.sql.totals import asked, in_states, of_tenants

COUNT_MAX: Final = 10_000
"""Of more than so many in one state a count says so many."""
OF_DAY_MAX: Final = 20_000
"""Of a day so many are looked at, the newest."""
HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class StateCounts:
    """How many deliveries are in which state; only those states in which there are any.

    `capped` says that there are more, in at least one of them.
    """

    states: Mapping[State, int]
    capped: bool

    def of(self, states: Collection[State]) -> int:
        """How many are in any of these."""
        return sum(self.states.get(state, 0) for state in states)


@dataclass(frozen=True, slots=True)
class HourCounts:
    """How many were enqueued in one hour, by state; only those states in which there are any."""

    at: datetime
    states: Mapping[State, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.states.values())


@dataclass(frozen=True, slots=True)
class DayCounts:
    """How many deliveries were enqueued in each of the hours from `start` on, by state.

    `capped` says that the day has more, of which these are the newest.
    """

    start: datetime
    hours: Mapping[State, tuple[int, ...]]
    capped: bool

    @property
    def busy(self) -> Iterator[HourCounts]:
        """The hours in which there are any."""
        for n in range(HOURS):
            states = {state: counts[n] for state, counts in self.hours.items() if counts[n]}
            if states:
                yield HourCounts(self.start + timedelta(hours=n), states)


def count_states(db: Db, wanted: Filter, *, most: int = COUNT_MAX) -> StateCounts:
    """Count what is asked for, each state up to a bound."""
    seen = _all_of_few(db, wanted, most)
    if seen is None:
        counts = [_counted(wanted, state, most) for state in _states(wanted)]
        seen = {State(row.state): int(row.many) for row in db.execute(union_all(*counts))}

    ordered = {state: min(seen[state], most) for state in State if seen.get(state)}
    return StateCounts(ordered, capped=any(count > most for count in seen.values()))


def _all_of_few(db: Db, wanted: Filter, most: int) -> dict[State, int] | None:
    """All states by one look, as for most campaigns and recipients; None where there are more."""
    state = tables.deliveries.c.state
    found = select(state).where(*asked(wanted)).limit(most + 1).subquery()
    rows = db.execute(select(found.c.state, func.count()).group_by(found.c.state)).all()
    if sum(count for _, count in rows) > most:
        return None
    return {State(name): int(count) for name, count in rows}


def count_hours(
    db: Db,
    wanted: Filter,
    start: datetime,
    tenants: Collection[str] | None = None,
    *,
    states: Collection[State] = (),
    most: int = OF_DAY_MAX,
) -> DayCounts:
    """How many of what is asked for were enqueued in each of the 24 hours from `start` on.

    Where the day has more than the bound, its newest are counted. Of these `tenants` only, None
    means all; and of these `states`.
    """
    record = tables.deliveries.c
    of_day = replace(wanted, since=start, until=start + timedelta(hours=HOURS))
    found = (
        select(record.state, record.enqueued_at)
        .where(*asked(of_day), *of_tenants(tenants), *in_states(states))
        .order_by(record.enqueued_at.desc())
        .limit(most + 1)
        .subquery()
    )
    hour = _hour(db, found.c.enqueued_at)
    rows = db.execute(select(found.c.state, hour, func.count()).group_by(found.c.state, hour))

    counts: dict[State, list[int]] = {}
    for state, at, count in rows:
        counts.setdefault(State(state), [0] * HOURS)[(int(at) - start.hour) % HOURS] = int(count)
    hours = {state: tuple(counts[state]) for state in State if state in counts}
    return DayCounts(start, hours, capped=sum(map(sum, hours.values())) > most)


def last_day(
    db: Db, wanted: Filter, tenants: Collection[str] | None = None, states: Collection[State] = ()
) -> datetime | None:
    """When the last day began, in UTC, on which any of what is asked for was enqueued."""
    newest = func.max(tables.deliveries.c.enqueued_at)
    where = [*asked(wanted), *of_tenants(tenants), *in_states(states)]
    found: datetime | None = db.execute(select(newest).where(*where)).scalar_one()
    return None if found is None else day_of(found)


def day_of(at: datetime) -> datetime:
    """When a time's day began, in UTC."""
    return datetime.combine(at.astimezone(UTC).date(), time(), UTC)


def _states(wanted: Filter) -> Collection[State]:
    return tuple(State) if wanted.state is None else (wanted.state,)


def _counted(wanted: Filter, state: State, most: int) -> Select[str, int]:
    """How many there are in one state, one more than the bound at most."""
    job = tables.deliveries.c.job
    found = select(job).where(*asked(replace(wanted, state=state))).limit(most + 1).subquery()
    name = literal(state.value).label("state")
    return select(name, func.count().label("many")).select_from(found)


def _hour(db: Db, at: ColumnElement[datetime]) -> ColumnElement[int]:
    """The hour of a time in UTC; a time of PostgreSQL's is read in its session's zone."""
    read = func.timezone("UTC", at) if db.dialect.name == "postgresql" else at
    return extract("hour", read)
