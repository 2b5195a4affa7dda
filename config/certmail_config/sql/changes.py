"""What has changed since: the states that reminders came into, in the order in which it happened.

The recorder alone writes events, in the order of the stream and together with its own position. So
whoever has read up to some event misses none: what comes later comes behind it.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection as Db
from sqlalchemy import select, tuple_

from certmail_config.jobs.states import State
from certmail_config.sql import tables

MAX_READ: Final = 5000
"""How many events are looked at for one answer: one's own may be few among those of others."""


class StreamPosition(NamedTuple):
    """An event's place in the stream: its milliseconds since 1970, and which of these it is."""

    ms: int
    n: int


BEGINNING: Final = StreamPosition(0, 0)


@dataclass(frozen=True, slots=True)
class Change:
    """A state that a reminder came into, why, and when (UTC)."""

    position: StreamPosition
    at: datetime
    job: str
    tenant: str
    campaign: str | None
    state: State
    reason: str | None
    held: bool
    possible_duplicate: bool


@dataclass(frozen=True, slots=True)
class Changes:
    """Some changes, the oldest first; `position` is where to go on.

    `more`: there are events behind it already.
    """

    found: tuple[Change, ...]
    position: StreamPosition
    more: bool


def since(at: datetime) -> StreamPosition:
    """The place before everything that happened at a time or later; before 1970 nothing did."""
    return max(BEGINNING, StreamPosition(int(at.timestamp() * 1000) - 1, 10**17))


def read_changes(
    db: Db,
    after: StreamPosition,
    tenants: Collection[str] | None = None,
    *,
    limit: int = 100,
    max_events: int = MAX_READ,
) -> Changes:
    """The changes after a place; of these `tenants` only, None means all.

    Looks at no more than `max_events` events.
    """
    events = tables.events.c
    here = tuple_(events.stream_ms, events.stream_n)
    read = db.execute(
        select(events.stream_ms, events.stream_n, events.at, events.job, events.tenant, events.data)
        .where(here > tuple_(after.ms, after.n))
        .order_by(events.stream_ms, events.stream_n)
        .limit(max_events + 1)
    )

    found: list[Change] = []
    position = after

    for seen, row in enumerate(read):
        if seen == max_events or len(found) == limit:
            return Changes(_with_campaigns(db, found), position, more=True)
        position = StreamPosition(row.stream_ms, row.stream_n)
        if row.job is not None and (tenants is None or row.tenant in tenants):
            change = _change(position, row)
            found += [change] if change else []

    return Changes(_with_campaigns(db, found), position, more=False)


def _change(position: StreamPosition, row: Any) -> Change | None:
    """What an event says of a reminder's state; None if nothing."""
    data: dict[str, str] = json.loads(row.data)
    if data.get("state") not in set(State) or row.tenant is None:
        return None

    return Change(
        position,
        row.at,
        row.job,
        row.tenant,
        data.get("campaign") or None,
        State(data["state"]),
        data.get("reason") or None,
        held=data.get("held") == "1",
        possible_duplicate=data.get("possible_duplicate") == "1",
    )


def _with_campaigns(db: Db, found: list[Change]) -> tuple[Change, ...]:
    """Only the first event of a reminder names its campaign; the record does so for all."""
    record = tables.deliveries.c
    jobs = {each.job for each in found}
    rows = db.execute(select(record.job, record.campaign).where(record.job.in_(jobs))).all()
    campaigns: dict[str, str | None] = {row.job: row.campaign for row in rows}
    return tuple(replace(each, campaign=campaigns.get(each.job, each.campaign)) for each in found)
