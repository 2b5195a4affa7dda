"""Listing the record, the newest first, as far as the API key reaches."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection
from dataclasses import replace
from typing import Final

from sqlalchemy import Connection as Db

from certmail.gateway.access_log import note
from certmail.gateway.api import models
from certmail.gateway.api.context import Answer, ApiCall
from certmail.gateway.api.handlers.lists import query_of
from certmail.gateway.api.request.paging import no_such_cursor
from certmail.gateway.api.request.problems import ApiProblem
from certmail_config.base.errors import WrongUse
from certmail_config.sql.deliveries import Cursor, DeliveryPage, Filter, Row, read_page
from certmail_config.sql.delivery_story import Story, read_story
from certmail_config.sql.record.merged import read_merged
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
            return page(db, wanted, call.grant.tenants, after=after, limit=query.limit)

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
    """The page that is wanted of what a key reaches."""
    if EVERY_TENANT in tenants:
        return read_page(db, wanted, after=after, limit=limit)

    reached = [tenant for tenant in sorted(tenants) if wanted.tenant in {None, tenant}]
    questions = [replace(wanted, tenant=tenant) for tenant in reached]
    return read_merged(db, questions, after=after, limit=limit)


def _cursor(text: str) -> Cursor | None:
    try:
        return Cursor.parse(text) if text else None
    except WrongUse:
        raise no_such_cursor() from None
