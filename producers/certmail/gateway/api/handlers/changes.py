"""Changes of reminders: an application keeps a cursor, and asks for what came after it."""

from __future__ import annotations

import asyncio

from certmail.gateway.api import models
from certmail.gateway.api.context import Answer, ApiCall
from certmail.gateway.api.handlers.deliveries import reached
from certmail.gateway.api.handlers.lists import query_of
from certmail.gateway.api.request.paging import no_such_cursor, read_cursor, write_cursor
from certmail_config.sql.changes import (
    BEGINNING,
    Change,
    Changes,
    StreamPosition,
    read_changes,
    since,
)

_MAX_DIGITS = 18
"""Databases hold no more."""


async def changes(call: ApiCall) -> Answer:
    """GET /changes."""
    query = query_of(call, models.ChangeQuery)
    after = _position(query)

    tenants = reached(call.grant)
    if query.tenant is not None:
        tenants = frozenset({query.tenant} if call.grant.reaches(query.tenant) else ())

    def read() -> Changes:
        with call.context.admin.db() as db:
            return read_changes(db, after, tenants, limit=query.limit)

    found = await asyncio.to_thread(read)
    items = [_shown(each) for each in found.found]
    return Answer(
        200, models.ChangePage(items=items, next=_cursor(found.position), more=found.more)
    )


def _position(query: models.ChangeQuery) -> StreamPosition:
    place = read_cursor(query.cursor, 2)
    if place is None:
        return BEGINNING if query.since is None else since(query.since)
    if not all(part.isdigit() and len(part) <= _MAX_DIGITS for part in place):
        raise no_such_cursor()
    return StreamPosition(int(place[0]), int(place[1]))


def _cursor(position: StreamPosition) -> str:
    return write_cursor([str(position.ms), str(position.n)])


def _shown(each: Change) -> models.Change:
    return models.Change(
        cursor=_cursor(each.position),
        at=each.at,
        id=each.job,
        tenant=each.tenant,
        campaign=each.campaign,
        state=each.state,
        reason=each.reason,
        held=each.held,
        possible_duplicate=each.possible_duplicate,
    )
