"""The way back from Google: on to the page that the consent was begun on.

That page says how it ended; without one a page of its own does.
"""

from __future__ import annotations

import asyncio

from aiohttp import web

from certmail.gateway.console.context import CONSOLE
from certmail.gateway.console.sessions import cookies
from certmail.gateway.console.sessions.cookies import Cookie
from certmail.gateway.console.sessions.sessions import Notice
from certmail.gateway.console.texts import N_
from certmail.gateway.oauth.link_outcomes import LinkOutcome


async def returned(request: web.Request, ended: LinkOutcome) -> web.StreamResponse:
    """Answer Google's redirect: lead the browser to where it says how the consent ended."""
    context = request.app[CONSOLE]
    if ended.back:
        cookie = Cookie.SETUP if ended.back.startswith("/connect/") else Cookie.OPERATOR
        secret = cookies.read(request, cookie, secure=context.secure)
        visitor = await asyncio.to_thread(context.sessions.find, secret)

        if visitor is not None:
            # Whose account it is, the page says; a notice holds no address.
            message = N_("The account is linked.") if ended.ok else ended.message
            await asyncio.to_thread(
                context.sessions.tell, visitor, Notice(ended.ok, message, ended.remedy)
            )
            raise web.HTTPSeeOther(ended.back)

    values = {"ended": ended, "visitor": None, "base": "/console"}
    return context.pages.render(
        request, "oauth_return.html", values, status=200 if ended.ok else 400
    )
