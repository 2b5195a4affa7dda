"""The actions on a connection: each is a form's POST, and leads back to a page."""

from __future__ import annotations

import asyncio

from aiohttp import web

from certmail.gateway.console.context import CONSOLE
from certmail.gateway.console.pages.connection_page import connection_of
from certmail.gateway.console.pages.views import show
from certmail.gateway.console.sessions import cookies
from certmail.gateway.console.sessions.cookies import Cookie
from certmail.gateway.console.sessions.sessions import Notice, Visitor, new_secret
from certmail.gateway.console.texts import N_
from certmail_config.admin import suspension
from certmail_config.admin.account_consent import begin_consent
from certmail_config.admin.admin import Admin
from certmail_config.admin.setup_links import issue
from certmail_config.base.errors import Refused
from certmail_config.onboarding.worker_requests import Wish
from certmail_config.tenants.models import Connection, ConnectionKind


async def check(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Have a worker go through the checklist; with `mail` up to a test mail."""
    form = await request.post()
    return await _ask(request, visitor, Wish.MAIL if form.get("mail") else Wish.CHECK)


async def link(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Send the browser to Google's consent, and remember that it was this browser.

    An operator may ask for `another` account.
    """
    context, form = request.app[CONSOLE], await request.post()
    found = await _connection(request, visitor)
    if found.kind is not ConnectionKind.SERVICE_PROVIDER_APP:
        raise Refused(
            "not_linkable",
            "Only a linked account is linked by signing in.",
            "Go back to the connection.",
        )

    browser = cookies.read(request, Cookie.CONSENT, secure=context.secure) or new_secret()
    another = visitor.is_operator and bool(form.get("another"))
    back = f"{visitor.base}/connections/{found.id}"
    url = await asyncio.to_thread(
        begin_consent, context.admin, found, browser=browser, back=back, another=another
    )

    response = web.Response(status=303, headers={"Location": url})
    cookies.give(response, Cookie.CONSENT, browser, secure=context.secure)
    return response


async def invite(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Make a set-up link for the tenant's administrator, and show it this once."""
    found = await _connection(request, visitor)
    admin = _acting(request, visitor)
    made = await asyncio.to_thread(issue, admin, found.tenant, name=found.name, again=True)
    return await show(request, visitor, "invitation.html", {"connection": found, "link": made})


async def suspend(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Suspend a connection: its lane stops."""
    found = await _connection(request, visitor)
    await asyncio.to_thread(suspension.suspend_connection, _acting(request, visitor), found.id)
    return await _notify(
        request, visitor, found, N_("Suspended: its reminders wait until you resume it.")
    )


async def resume(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Resume a connection; one that worked is tried out first, by a worker."""
    found = await _connection(request, visitor)
    if found.before_it_worked() is None:
        return await _ask(request, visitor, Wish.RESUME)
    if found.state == "disabled":
        await asyncio.to_thread(suspension.lift_suspension, _acting(request, visitor), found)
    return await _notify(request, visitor, found, N_("Resumed."))


async def rotate(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Make the next key and certificate; the present ones go on until Google knows those."""
    admin = _acting(request, visitor)
    found = await _connection(request, visitor)
    await asyncio.to_thread(admin.rotate, found.id, valid_days=admin.settings.certificate_days)
    message = N_("The next certificate is ready: download it and upload it beside the present one.")
    return await _notify(request, visitor, found, message)


async def remove(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Have a worker remove it for good, if its name was typed."""
    context, form = request.app[CONSOLE], await request.post()
    found = await _connection(request, visitor)
    if form.get("confirm") != f"{found.tenant}/{found.name}":
        notice = Notice(good=False, message=N_("That is not its name, so nothing was removed."))
        await asyncio.to_thread(context.sessions.tell, visitor, notice)
    else:
        await asyncio.to_thread(
            context.requester.ask, found.tenant, found.id, Wish.REMOVE, by=visitor.actor
        )

    raise web.HTTPSeeOther(f"{visitor.base}/connections/{found.id}/removal")


def _acting(request: web.Request, visitor: Visitor) -> Admin:
    """The admin, acting in the visitor's name."""
    return request.app[CONSOLE].admin.acting_as(visitor.actor)


async def _connection(request: web.Request, visitor: Visitor) -> Connection:
    return await asyncio.to_thread(
        connection_of, request.app[CONSOLE], visitor, request.match_info["id"]
    )


async def _ask(request: web.Request, visitor: Visitor, wish: Wish) -> web.StreamResponse:
    """Ask a worker, unless one is at it already."""
    context = request.app[CONSOLE]
    found = await _connection(request, visitor)
    answer = await asyncio.to_thread(context.requester.latest, found.id)
    if answer is None or answer.over:
        await asyncio.to_thread(
            context.requester.ask, found.tenant, found.id, wish, by=visitor.actor
        )

    raise web.HTTPSeeOther(f"{visitor.base}/connections/{found.id}#checklist")


async def _notify(
    request: web.Request, visitor: Visitor, found: Connection, message: str
) -> web.StreamResponse:
    """Lead back to the connection's page, which shows the message once."""
    await asyncio.to_thread(
        request.app[CONSOLE].sessions.tell, visitor, Notice(good=True, message=message)
    )
    raise web.HTTPSeeOther(f"{visitor.base}/connections/{found.id}")
