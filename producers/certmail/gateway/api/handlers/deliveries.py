"""Listing the record, the newest first, as far as the API key reaches."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, time
from typing import Final

from sqlalchemy import Connection as Db

from certmail.gateway.access_log import note
from certmail.gateway.api import models
from certmail.gateway.api.context import Answer, ApiCall
from certmail.gateway.api.handlers.lists import query_of
from certmail.gateway.api.request.paging import no_such_cursor
from certmail.gateway.api.request.problems import ApiProblem
from certmail_config.base.errors import WrongUse
from certmail_config.sql.deliveries import Cursor, DeliveryPage, Filter, Row
from certmail_config.sql.delivery_story import Story, read_story
from certmail_config.sql.record.counts import DayCounts, count_hours, last_day
from certmail_config.sql.record.groups import group_counts
from certmail_config.sql.record.merged import read_merged
from certmail_config.sql.record.question import RecordQuestion
from certmail_config.sql.record.reasons import NOT_ACCEPTED, ReasonCounts, count_reasons
from certmail_config.sql.requests import with_requests
from certmail_config.sql.totals import Totals, count_deliveries
from certmail_config.tenants.api_keys import EVERY_TENANT, KeyGrant

_JOB: Final = re.compile(r"[0-9a-f-]{36}")


async def deliveries(call: ApiCall) -> Answer:
    """GET /deliveries."""
    query = query_of(call, models.DeliveryQuery)
    wanted, after = _wanted(query), _cursor(query.cursor)

    def read() -> DeliveryPage:
        with call.context.admin.db() as db:
            return page(db, wanted.filters, call.grant.tenants, after=after, limit=query.limit)

    found = await asyncio.to_thread(read)
    shown = [models.Delivery.model_validate({"id": row["job"], **row}) for row in found.rows]
    following = str(found.next) if found.next is not None else None
    return Answer(200, models.DeliveryPage(items=shown, next=following))


async def story(call: ApiCall) -> Answer:
    """GET /deliveries/{id}."""
    id_ = call.path_id.lower()

    def read() -> tuple[Story, Row] | None:
        with call.context.admin.db() as db:
            found = read_story(db, id_) if _JOB.fullmatch(id_) else None
            if found is None or not call.grant.reaches(found.delivery["tenant"]):
                return None
            return found, with_requests(db, [found.delivery])[0]

    told = await asyncio.to_thread(read)
    if told is None:
        raise ApiProblem("unknown_reminder", "There is no such reminder on record.")
    found, row = told
    note(call.request, tenant=row["tenant"], job=id_)

    nothing = dict.fromkeys(models.DeliveryEvent.model_fields)
    shown = {
        **row,
        "id": row["job"],
        "requests": found.attempts,
        "events": [nothing | dict(event) for event in found.events],
    }
    return Answer(200, models.DeliveryStory.model_validate(shown))


async def totals(call: ApiCall) -> Answer:
    """GET /deliveries/totals."""
    wanted = _wanted(query_of(call, models.TotalsQuery))

    def read() -> Totals:
        with call.context.admin.db() as db:
            return count_deliveries(db, wanted.asked, reached(call.grant), states=wanted.states)

    return Answer(200, shown_totals(await asyncio.to_thread(read)))


async def reasons(call: ApiCall) -> Answer:
    """GET /deliveries/reasons."""
    wanted = _wanted(query_of(call, models.TotalsQuery))

    def read() -> ReasonCounts:
        with call.context.admin.db() as db:
            states = wanted.states or NOT_ACCEPTED
            return count_reasons(db, wanted.asked, reached(call.grant), states=states)

    found = await asyncio.to_thread(read)
    return Answer(200, models.ReasonCounts.model_validate(asdict(found)))


async def hours(call: ApiCall) -> Answer:
    """GET /deliveries/hours."""
    query = query_of(call, models.HoursQuery)
    wanted, tenants = _wanted(query), reached(call.grant)
    asked, states = wanted.asked, wanted.states

    def read() -> DayCounts | None:
        with call.context.admin.db() as db:
            start = (
                datetime.combine(query.day, time(), UTC)
                if query.day is not None
                else last_day(db, asked, tenants, states)
            )
            return None if start is None else count_hours(db, asked, start, tenants, states=states)

    found = await asyncio.to_thread(read)
    if found is None:
        return Answer(200, models.HourCounts(day=None, hours=[], capped=False))

    busy = [{"at": each.at, "total": each.total, "states": each.states} for each in found.busy]
    shown = {"day": found.start.date(), "hours": busy, "capped": found.capped}
    return Answer(200, models.HourCounts.model_validate(shown))


def reached(grant: KeyGrant) -> frozenset[str] | None:
    """The tenants that an API key reaches; None for all."""
    return None if EVERY_TENANT in grant.tenants else grant.tenants


def shown_totals(found: Totals) -> models.Totals:
    """Totals as they are answered."""
    return models.Totals(
        total=found.total,
        states=dict(found.states),
        groups=group_counts(found.states),
        held=found.held,
        possible_duplicates=found.possible_duplicates,
    )


def _wanted(query: models.TotalsQuery) -> RecordQuestion:
    asked = Filter(
        tenant=query.tenant,
        campaign=query.campaign,
        recipient=query.recipient,
        since=query.since,
        until=query.until,
    )
    return RecordQuestion.of(asked, query.state)


def page(
    db: Db,
    wanted: Sequence[Filter],
    tenants: Collection[str],
    *,
    after: Cursor | None,
    limit: int,
) -> DeliveryPage:
    """The page that is wanted of what a key reaches."""
    if EVERY_TENANT in tenants:
        return read_merged(db, wanted, after=after, limit=limit)

    questions = [
        replace(each, tenant=tenant)
        for each in wanted
        for tenant in sorted(tenants)
        if each.tenant in {None, tenant}
    ]
    return read_merged(db, questions, after=after, limit=limit)


def _cursor(text: str) -> Cursor | None:
    try:
        return Cursor.parse(text) if text else None
    except WrongUse:
        raise no_such_cursor() from None
