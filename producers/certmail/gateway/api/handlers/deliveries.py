"""Listing the record, the newest first, as far as the API key reaches."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from heapq import merge
from itertools import islice

from sqlalchemy import Connection as Db

from certmail.gateway.api import models
from certmail.gateway.api.context import Answer, ApiCall
from certmail.gateway.api.handlers.lists import query_of
from certmail.gateway.api.request.paging import no_such_cursor
from certmail_config.base.errors import WrongUse
from certmail_config.sql.deliveries import Cursor, DeliveryPage, Filter, Row, read_page
from certmail_config.sql.totals import Totals, count_deliveries
from certmail_config.tenants.api_keys import EVERY_TENANT, KeyGrant


async def deliveries(call: ApiCall) -> Answer:
    """GET /deliveries."""
    query = query_of(call, models.DeliveryQuery)
    wanted, after = _wanted(query), _cursor(query.cursor)

    def read() -> DeliveryPage:
        with call.context.admin.db() as db:
            return page(db, wanted, call.grant.tenants, after=after, limit=query.limit)

    found = await asyncio.to_thread(read)
    shown = [models.Delivery.model_validate({"id": row["job"], **row}) for row in found.rows]
    following = str(found.next) if found.next is not None else None
    return Answer(200, models.DeliveryPage(items=shown, next=following))


async def totals(call: ApiCall) -> Answer:
    """GET /deliveries/totals."""
    wanted = _wanted(query_of(call, models.TotalsQuery))

    def read() -> Totals:
        with call.context.admin.db() as db:
            return count_deliveries(db, wanted, reached(call.grant))

    return Answer(200, shown_totals(await asyncio.to_thread(read)))


def reached(grant: KeyGrant) -> frozenset[str] | None:
    """The tenants that an API key reaches; None for all."""
    return None if EVERY_TENANT in grant.tenants else grant.tenants


def shown_totals(found: Totals) -> models.Totals:
    """Totals as they are answered."""
    return models.Totals(
        total=found.total,
        states=dict(found.states),
        held=found.held,
        possible_duplicates=found.possible_duplicates,
    )


def _wanted(query: models.TotalsQuery) -> Filter:
    return Filter(
        tenant=query.tenant,
        campaign=query.campaign,
        recipient=query.recipient,
        state=query.state,
        since=query.since,
        until=query.until,
    )


def page(
    db: Db, wanted: Filter, tenants: Collection[str], *, after: Cursor | None, limit: int
) -> DeliveryPage:
    """The page that is wanted of what a key reaches.

    Of several tenants one page each is read, and the newest deliveries are taken.
    """
    if EVERY_TENANT in tenants:
        return read_page(db, wanted, after=after, limit=limit)

    reached = [tenant for tenant in sorted(tenants) if wanted.tenant in {None, tenant}]
    each = [
        read_page(db, replace(wanted, tenant=tenant), after=after, limit=limit)
        for tenant in reached
    ]
    rows = tuple(islice(merge(*(found.rows for found in each), key=_place, reverse=True), limit))
    more = sum(len(found.rows) for found in each) > limit or any(found.next for found in each)

    return DeliveryPage(rows, Cursor(*_place(rows[-1])) if more else None)


def _place(row: Row) -> tuple[datetime, str]:
    return row["enqueued_at"], row["job"]


def _cursor(text: str) -> Cursor | None:
    try:
        return Cursor.parse(text) if text else None
    except WrongUse:
        raise no_such_cursor() from None
