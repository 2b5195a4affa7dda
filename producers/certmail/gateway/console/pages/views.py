"""Pages that only show: the list, one connection, its certificate, the question before removing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from aiohttp import web

from certmail.gateway.console import texts
from certmail.gateway.console.context import CONSOLE, ConsoleContext
from certmail.gateway.console.pages.connection_list import listing
from certmail.gateway.console.pages.connection_page import connection_of, read_details
from certmail.gateway.console.pages.first_reminder import FirstReminder
from certmail.gateway.console.sessions.sessions import Visitor
from certmail_config.admin.setup_links import end, may_return_to, standing, way_back
from certmail_config.base.errors import Refused
from certmail_config.base.ids import ConnectionId
from certmail_config.onboarding.google_steps import GoogleSteps
from certmail_config.onboarding.worker_requests import Wish
from certmail_config.settings.sandbox import exports, is_sandbox
from certmail_config.tenants.models import Connection, ConnectionState


async def connections(request: web.Request, visitor: Visitor) -> web.Response:
    """All connections, what needs attention first."""
    context, wanted = request.app[CONSOLE], request.query.get("q", "")[:100]
    found = await asyncio.to_thread(listing, context, wanted)
    return await show(request, visitor, "connections.html", {"listing": found, "wanted": wanted})


async def connection(request: web.Request, visitor: Visitor) -> web.Response:
    """One connection: how it is, what to do, and what may be done."""
    return await connection_page(request, visitor, None)


async def connection_page(
    request: web.Request, visitor: Visitor, typed: dict[str, Any] | None, *, status: int = 200
) -> web.Response:
    """The same, with what somebody has `typed` to correct it, and its `error`."""
    context = request.app[CONSOLE]
    found = await asyncio.to_thread(read_details, context, visitor, request.match_info["id"])

    if not visitor.is_operator and not visitor.complete:
        visitor = await asyncio.to_thread(_on_the_way_back, context, visitor, found.connection)

    settings = context.admin.settings
    google = GoogleSteps(found.connection, found.client_id, settings.consoles)
    before = exports(settings.data_dir) if is_sandbox(settings.data_dir) else ""
    values = {
        "facts": found,
        "connection": found.connection,
        "typed": typed,
        "google": google,
        "oauth_client_id": settings.oauth_client_id or "",
        "first": FirstReminder(found.connection, settings.base_url, before),
    }
    return await show(request, visitor, "connection.html", values, status=status)


async def certificate(request: web.Request, visitor: Visitor) -> web.Response:
    """The certificate as a file; `next=1` the one that is to take over. Nothing in it is secret."""
    found = await asyncio.to_thread(
        connection_of, request.app[CONSOLE], visitor, request.match_info["id"]
    )
    takes_over = request.query.get("next") == "1"
    pem = found.next_certificate if takes_over else found.certificate
    if pem is None:
        raise Refused(
            "no_certificate", "There is no such certificate.", "Go back to the connection."
        )

    name = f"certmail-{found.tenant}-{found.name}{'-next' if takes_over else ''}.pem"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(text=pem, content_type="application/x-pem-file", headers=headers)


async def removal(request: web.Request, visitor: Visitor) -> web.Response:
    """The question before removing; then, how far it has come, and what is left to do."""
    context, id_ = request.app[CONSOLE], ConnectionId(request.match_info["id"])
    answer = await asyncio.to_thread(context.requester.latest, id_)
    under_way = answer is not None and answer.worker_request.wish is Wish.REMOVE
    found = None

    if not under_way or (answer is not None and answer.over):
        try:
            found = await asyncio.to_thread(connection_of, context, visitor, id_)
        except Refused:
            if not under_way:
                raise

    values = {"id": id_, "connection": found, "answer": answer if under_way else None}
    return await show(request, visitor, "removal.html", values)


async def show(
    request: web.Request,
    visitor: Visitor,
    template: str,
    values: dict[str, Any],
    *,
    status: int = 200,
) -> web.Response:
    """Render a page for somebody who was let in, with what is to be said to them once."""
    context = request.app[CONSOLE]
    given = {
        "visitor": visitor,
        "base": visitor.base,
        "notice": visitor.notice,
        "texts": texts,
        **values,
    }

    response = context.pages.render(request, template, given, status=status)
    if visitor.notice is not None and request.headers.get("X-Live") is None:
        await asyncio.to_thread(context.sessions.tell, visitor, None)

    return response


def _on_the_way_back(context: ConsoleContext, visitor: Visitor, found: Connection) -> Visitor:
    """The visitor, with the way back to the application if it gave one.

    Once the connection works, the link ends and they may go.
    """
    invitation = standing(context.admin.strongbox, visitor.tenant, visitor.link)
    if invitation is None:
        return visitor

    # The setting may have changed since the link was made.
    may_return = may_return_to(context.admin.settings, invitation.return_url)
    back = way_back(invitation, found) if may_return else ""
    if found.state is not ConnectionState.ACTIVE:
        return replace(visitor, back=back)

    end(context.admin.strongbox, invitation)
    return context.sessions.complete(visitor, found.id, back)
