"""The page of deliveries, and the form that chooses among them."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from certmail.gateway.console.context import CONSOLE, ConsoleContext
from certmail.gateway.console.form_fields import WrongField, values_of
from certmail.gateway.console.pages.views import show
from certmail.gateway.console.record import words
from certmail.gateway.console.record.delivery_list import links_of, read_list
from certmail.gateway.console.record.filter_form import (
    OWNER,
    ListFilter,
    ListLinks,
    from_form,
    from_query,
)
from certmail.gateway.console.sessions.sessions import Visitor
from certmail_config.sql.deliveries import Cursor
from certmail_config.sql.record.counts import COUNT_MAX

_FIELDS: Final = ("tenant", "campaign", "to", "state", "since", "until")


async def deliveries(request: web.Request, visitor: Visitor) -> web.Response:
    """Deliveries, the newest first, by what the address of the page says."""
    context = request.app[CONSOLE]
    wanted = await asyncio.to_thread(wanted_by, context, request)
    after = Cursor.parse(request.query["after"]) if request.query.get("after") else None
    found = await asyncio.to_thread(read_list, context, visitor, wanted, after)
    typed = {name: getattr(wanted, name) for name in _FIELDS}
    typed["to"] = wanted.to if visitor.sees_addresses else ""
    values = {"found": found, "typed": typed, "error": None, "words": words, "most": COUNT_MAX}
    return await show(request, visitor, "deliveries.html", values)


async def choose(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Lead to the page of what was typed: its address holds no recipient in clear."""
    context = request.app[CONSOLE]
    typed = values_of(await request.post(), *_FIELDS)
    try:
        wanted = from_form(typed)
    except WrongField as error:
        values = {"found": None, "typed": typed, "error": error, "words": words, "most": COUNT_MAX}
        return await show(request, visitor, "deliveries.html", values, status=400)

    links: ListLinks = await asyncio.to_thread(links_of, context, wanted)
    raise web.HTTPSeeOther(links.to())


def wanted_by(context: ConsoleContext, request: web.Request) -> ListFilter:
    """What the address of a page asks for; raises WrongUse. Opening a sealed recipient blocks."""
    vault = context.admin.vault
    return from_query(request.query, lambda sealed: vault.open(sealed, owner=OWNER))
