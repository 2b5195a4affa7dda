"""The pages of a set-up link: its first page, and the button that binds it to a browser."""

from __future__ import annotations

import asyncio
from urllib.parse import quote, urlsplit

from aiohttp import web

from certmail.gateway.console.access_control import AccessDenied, check_form
from certmail.gateway.console.context import CONSOLE, ConsoleContext
from certmail.gateway.console.form_fields import read_form
from certmail.gateway.console.sessions import cookies
from certmail.gateway.console.sessions.cookies import Cookie
from certmail.gateway.console.sessions.sessions import Visitor, new_secret
from certmail.gateway.console.tenant_lookup import connection_named, tenant_of
from certmail.gateway.console.texts import N_
from certmail_config.admin.setup_links import (
    Invitation,
    belongs_to,
    bind,
    invitation_of,
    is_bound,
    link_of,
    may_return_to,
)
from certmail_config.tenants.models import ConnectionState


def _ended() -> AccessDenied:
    return AccessDenied(
        "link_ended",
        N_(
            "It was completed or replaced by a newer one, it has expired, or it is incomplete (copied only in part?)."
        ),
        N_("If the mailbox is not connected yet, ask whoever sent you the link for a new one."),
    )


def _elsewhere() -> AccessDenied:
    return AccessDenied(
        "link_opened_elsewhere",
        N_("“Start” was pressed in another browser, and this set-up link works only there."),
        N_(
            "Go on in that browser. If it was not you, ask whoever sent you the link for a new one, which ends this one."
        ),
    )


async def welcome(request: web.Request) -> web.StreamResponse:
    """Show the first page of a link.

    Looking binds nothing: mail programs look at links before people do.
    """
    context = request.app[CONSOLE]
    if await asyncio.to_thread(_completed_here, context, request):
        raise web.HTTPSeeOther("/connect")

    invitation = await _invitation(request)
    if await asyncio.to_thread(is_bound, context.admin.redis, invitation):
        secret = cookies.read(request, Cookie.SETUP, secure=context.secure)
        if not await asyncio.to_thread(belongs_to, context.admin.strongbox, invitation, secret):
            raise _elsewhere()

        await asyncio.to_thread(_let_in, context, secret, invitation)
        raise web.HTTPSeeOther("/connect")

    organisation = (await asyncio.to_thread(tenant_of, context, invitation.tenant)).organisation
    csrf = new_secret()
    back = urlsplit(invitation.return_url).hostname if _may_return(context, invitation) else ""
    values = {
        "form_token": csrf,
        "organisation": organisation,
        "back": back or "",
        "base": "/connect",
    }

    response = context.pages.render(request, "welcome.html", {**values, "visitor": None})
    cookies.give(response, Cookie.SIGN_IN, csrf, secure=context.secure)
    return response


async def begin(request: web.Request) -> web.StreamResponse:
    """Bind the link to this browser, and let it in."""
    context = request.app[CONSOLE]
    check_form(
        request,
        await read_form(request),
        cookies.read(request, Cookie.SIGN_IN, secure=context.secure),
    )

    invitation = await _invitation(request)
    await asyncio.to_thread(context.space.require)

    # Always a new one: what somebody else put into this browser beforehand must open nothing.
    secret = new_secret()
    if not await asyncio.to_thread(bind, context.admin.strongbox, invitation, secret):
        raise _elsewhere()

    await asyncio.to_thread(_let_in, context, secret, invitation)
    response = web.Response(status=303, headers={"Location": "/connect"})
    cookies.give(response, Cookie.SETUP, secret, secure=context.secure)
    cookies.take_back(response, Cookie.SIGN_IN, secure=context.secure)
    return response


async def home(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Lead to where the set-up stands: the choice of a kind, or the connection's page."""
    found = await asyncio.to_thread(
        connection_named, request.app[CONSOLE], visitor.tenant, visitor.name
    )
    if found is None or found.state is ConnectionState.DRAFT:
        raise web.HTTPSeeOther(f"/connect/set-up/{quote(visitor.tenant)}/{quote(visitor.name)}")
    raise web.HTTPSeeOther(f"/connect/connections/{found.id}")


async def _invitation(request: web.Request) -> Invitation:
    found = await asyncio.to_thread(
        invitation_of, request.app[CONSOLE].admin.strongbox, request.match_info["token"]
    )
    if found is None:
        raise _ended()
    return found


def _completed_here(context: ConsoleContext, request: web.Request) -> bool:
    """Whether the link was completed in this browser, so that its page can still be shown."""
    known = context.sessions.find(cookies.read(request, Cookie.SETUP, secure=context.secure))
    return (
        known is not None and known.complete and known.link == link_of(request.match_info["token"])
    )


def _may_return(context: ConsoleContext, invitation: Invitation) -> bool:
    return may_return_to(context.admin.settings, invitation.return_url)


def _let_in(context: ConsoleContext, secret: str, invitation: Invitation) -> None:
    if (known := context.sessions.find(secret)) is not None and known.link == invitation.link:
        return

    context.sessions.begin_as_administrator(
        secret, invitation.tenant, invitation.name, invitation.link, invitation.expires_at
    )
