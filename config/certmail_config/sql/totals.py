"""Totals of the record: how many deliveries are in which state.

They are counted of what is asked for, and of each campaign.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, func, literal, select, tuple_
from sqlalchemy import Connection as Db

from certmail_config.jobs.states import State
from certmail_config.sql import tables
from certmail_config.sql.deliveries import Filter


@dataclass(frozen=True, slots=True)
class Totals:
    """How many deliveries there are, in all and by state.

    Of these are given apart: those that wait for a person, and those of which two may have arrived.
    """

    total: int = 0
    states: Mapping[State, int] = field(default_factory=dict)
    held: int = 0
    possible_duplicates: int = 0


@dataclass(frozen=True, slots=True)
class CampaignTotals:
    """The totals of one campaign of a tenant.

    With them: when its first reminder was enqueued, and when anything happened to one last.
    """

    tenant: str
    campaign: str
    totals: Totals
    enqueued_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class CampaignPage:
    """Some campaigns, by tenant and campaign; `more` says that others follow."""

    campaigns: tuple[CampaignTotals, ...]
    more: bool


UNCERTAIN_MAX: Final = 100_000
"""Of more than so many uncertain deliveries the count says so many."""


def count_uncertain(
    db: Db, tenants: Collection[str] | None = None, campaign: str | None = None
) -> tuple[int, int]:
    """The uncertain deliveries that nobody has decided about: those held for a person, and others.

    Of these `tenants` only, None means all; likewise of a campaign.
    """
    record = tables.deliveries.c
    wanted = Filter(campaign=campaign, state=State.UNCERTAIN)
    found = (
        select(record.held)
        .where(record.decided_by.is_(None), *asked(wanted), *of_tenants(tenants))
        .limit(UNCERTAIN_MAX)
        .subquery()
    )
    counted = select(found.c.held, func.count()).group_by(found.c.held)
    counts = {bool(held): int(count) for held, count in db.execute(counted)}
    return counts.get(True, 0), counts.get(False, 0)


def count_deliveries(
    db: Db,
    wanted: Filter,
    tenants: Collection[str] | None = None,
    *,
    states: Collection[State] = (),
) -> Totals:
    """Count what is asked for; of these `tenants` only, None means all; and of these `states`."""
    record = tables.deliveries.c
    counted = select(
        record.state, record.held, record.possible_duplicate, func.count().label("count")
    )
    where = [*asked(wanted), *of_tenants(tenants), *in_states(states)]
    rows = db.execute(
        counted.where(*where).group_by(record.state, record.held, record.possible_duplicate)
    )
    return _totals(dict(row) for row in rows.mappings())


def count_campaigns(
    db: Db,
    wanted: Filter,
    tenants: Collection[str] | None = None,
    *,
    after: tuple[str, str] | None = None,
    limit: int = 100,
) -> CampaignPage:
    """Count each campaign, some at a time: those after a tenant and campaign.

    Reminders of no campaign are in none.
    """
    record = tables.deliveries.c
    key = (record.tenant, record.campaign)
    where = [record.campaign.is_not(None), *asked(wanted), *of_tenants(tenants)]
    if after is not None:
        where.append(tuple_(*key) > _pair(after))
    found = db.execute(select(*key).where(*where).distinct().order_by(*key).limit(limit + 1)).all()
    places = [(row.tenant, row.campaign) for row in found[:limit]]
    if not places:
        return CampaignPage((), more=False)

    marks = (record.state, record.held, record.possible_duplicate)
    counted = select(
        *key, *marks,
        func.count().label("count"),
        func.min(record.enqueued_at).label("first"),
        func.max(record.updated_at).label("last"),
    )  # fmt: skip
    where += [tuple_(*key) >= _pair(places[0]), tuple_(*key) <= _pair(places[-1])]
    parts: defaultdict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in db.execute(counted.where(*where).group_by(*key, *marks)).mappings():
        parts[row["tenant"], row["campaign"]].append(dict(row))
    return CampaignPage(
        tuple(_campaign(place, parts[place]) for place in places), more=len(found) > limit
    )


def _campaign(place: tuple[str, str], parts: list[Mapping[str, Any]]) -> CampaignTotals:
    first, last = min(part["first"] for part in parts), max(part["last"] for part in parts)
    return CampaignTotals(*place, _totals(parts), first, last)


def _totals(parts: Iterable[Mapping[str, Any]]) -> Totals:
    states: defaultdict[State, int] = defaultdict(int)
    held = doubled = 0
    for part in parts:
        states[State(part["state"])] += part["count"]
        held += part["count"] * bool(part["held"])
        doubled += part["count"] * bool(part["possible_duplicate"])
    ordered = {state: states[state] for state in State if state in states}
    return Totals(sum(states.values()), ordered, held, doubled)


def asked(wanted: Filter) -> list[ColumnElement[bool]]:
    """What must hold of a delivery that is asked for, for whoever counts: in any order."""
    record = tables.deliveries.c
    conditions: list[ColumnElement[bool]] = [
        column == value for column, value in wanted.by_column().items()
    ]
    if wanted.since is not None:
        conditions.append(record.enqueued_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(record.enqueued_at < wanted.until)
    return conditions


def of_tenants(tenants: Collection[str] | None) -> list[ColumnElement[bool]]:
    """What must hold of a delivery of one of these tenants; None means all."""
    return [] if tenants is None else [tables.deliveries.c.tenant.in_(sorted(tenants))]


def in_states(states: Collection[State]) -> list[ColumnElement[bool]]:
    """What must hold of a delivery in one of these states; none means any."""
    return [tables.deliveries.c.state.in_(sorted(states))] if states else []


def _pair(place: tuple[str, str]) -> Any:
    record = tables.deliveries.c
    return tuple_(literal(place[0], record.tenant.type), literal(place[1], record.campaign.type))
