"""Listing tenants and connections, from SQL, as far as the API key reaches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from pydantic import BaseModel

from certmail.gateway.api import models
from certmail.gateway.api.context import Answer, ApiCall
from certmail.gateway.api.request.bodies import read_query
from certmail.gateway.api.request.paging import read_cursor, write_cursor
from certmail_config.sql import registry
from certmail_config.tenants import models as office_words
from certmail_config.tenants.models import ConnectionState, TenantState
from certmail_config.tenants.state_labels import WORDS

Q = TypeVar("Q", bound=BaseModel)
T = TypeVar("T")


def query_of(call: ApiCall, model: type[Q]) -> Q:
    """The query's parameters; raises ApiProblem."""
    return read_query(model, call.request.query, [name for name, _ in call.request.query.items()])


def cut(
    found: Sequence[T], query: models.PageQuery, place: Callable[[T], list[str]], parts: int
) -> tuple[Sequence[T], str | None]:
    """The page that a query wants of an ordered list, and the cursor of the next."""
    after = read_cursor(query.cursor, parts)
    rest = [each for each in found if after is None or place(each) > after]
    page = rest[: query.limit]
    return page, write_cursor(place(page[-1])) if len(rest) > len(page) else None


async def tenants(call: ApiCall) -> Answer:
    """GET /tenants."""
    query = query_of(call, models.TenantQuery)

    def read() -> list[office_words.Tenant]:
        with call.context.admin.db() as db:
            return registry.list_tenants(db)

    found = [each for each in await asyncio.to_thread(read) if call.grant.reaches(each.id)]
    page, following = cut(found, query, lambda each: [each.id], 1)
    shown = [
        models.Tenant(id=each.id, name=each.organisation, state=TenantState(each.state))
        for each in page
    ]
    return Answer(200, models.TenantPage(items=shown, next=following))


async def connections(call: ApiCall) -> Answer:
    """GET /connections."""
    query = query_of(call, models.ConnectionQuery)

    def read() -> list[office_words.Connection]:
        with call.context.admin.db() as db:
            return registry.list_connections(db, query.tenant)

    found = [each for each in await asyncio.to_thread(read) if call.grant.reaches(each.tenant)]
    page, following = cut(found, query, lambda each: [each.tenant, each.name], 2)
    return Answer(
        200, models.ConnectionPage(items=[_connection(each) for each in page], next=following)
    )


def _connection(each: office_words.Connection) -> models.Connection:
    return models.Connection(
        id=each.id,
        tenant=each.tenant,
        name=each.name,
        kind=each.kind,
        state=ConnectionState(each.state),
        state_text=WORDS[each.state],
        code=each.code,
        message=each.message,
        remedy=each.remedy,
        mailbox=each.mailbox,
        key_id=each.key_id,
        not_after=each.not_after,
    )
