"""Listing the record, the newest first, as far as the API key reaches."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection as Db
from sqlalchemy import select

from certmail.gateway.api import models
from certmail.gateway.api.calls import Answer, Call
from certmail.gateway.api.listings import query_of
from certmail.gateway.api.paging import read_cursor, write_cursor
from certmail_config.api_keys import EVERY_TENANT
from certmail_config.sql import tables

_TABLE = tables.deliveries


async def deliveries(call: Call) -> Answer:
    """GET /deliveries."""
    query = query_of(call, models.DeliveryQuery)
    after = read_cursor(query.cursor, 1)

    def read() -> list[dict[str, Any]]:
        with call.desk.office.db() as db:
            return page(db, query, call.grant.tenants, after[0] if after else None)

    rows = await asyncio.to_thread(read)
    shown = [models.Delivery.model_validate(row) for row in rows[: query.limit]]
    following = write_cursor([shown[-1].id]) if len(rows) > query.limit else None
    return Answer(200, models.DeliveryPage(items=shown, next=following))


def page(
    db: Db, query: models.DeliveryQuery, tenants: Collection[str], after: str | None
) -> list[dict[str, Any]]:
    """The rows that a query wants, and one more if there are more. Ids are UUIDv7s: their order is that of time."""
    columns = [
        _TABLE.c.job.label("id") if name == "id" else _TABLE.c[name] for name in models.Delivery.model_fields
    ]
    wanted = select(*columns).order_by(_TABLE.c.job.desc()).limit(query.limit + 1)
    for name in ("tenant", "campaign", "state"):
        if (value := getattr(query, name)) is not None:
            wanted = wanted.where(_TABLE.c[name] == value)
    if EVERY_TENANT not in tenants:
        wanted = wanted.where(_TABLE.c.tenant.in_(tenants))
    if after is not None:
        wanted = wanted.where(_TABLE.c.job < after)
    return [dict(row) for row in db.execute(wanted).mappings()]
