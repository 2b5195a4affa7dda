"""An operator's own account: what the role allows, and another password."""

from __future__ import annotations

import asyncio

from aiohttp import web

from certmail.gateway.console.access_control import AccessDenied
from certmail.gateway.console.context import CONSOLE
from certmail.gateway.console.form_fields import of_field
from certmail.gateway.console.pages.sign_in import address_of
from certmail.gateway.console.pages.views import show
from certmail.gateway.console.sessions import cookies, throttle
from certmail.gateway.console.sessions.cookies import Cookie
from certmail.gateway.console.sessions.sessions import Notice, Visitor
from certmail.gateway.console.texts import N_
from certmail_config.admin.operators.accounts import keep_password
from certmail_config.base.errors import WrongUse
from certmail_config.operators.operator import Operator
from certmail_config.operators.passwords import check_password
from certmail_config.sql.operators.rows import find_operator


async def account(request: web.Request, visitor: Visitor) -> web.Response:
    """Who one is here, and what one may do."""
    return await _page(request, visitor, None)


async def change_password(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Set another password, for whoever knows the present one; other sessions end."""
    context, form = request.app[CONSOLE], await request.post()
    found = await asyncio.to_thread(_own, request, visitor)
    if found is None or found.password is None:
        raise AccessDenied("no_password", N_("You sign in without a password of your own."))

    present, new = str(form.get("present", "")), str(form.get("new", ""))
    redis, browser = context.admin.redis, f"session of {visitor.account}"
    tried = await asyncio.to_thread(
        throttle.try_to_sign_in, redis, address_of(request), browser, found.name
    )
    if tried.wait:
        raise web.HTTPTooManyRequests(headers={"Retry-After": str(tried.wait)})

    try:
        with of_field("present"):
            if not await context.passwords.fits(present, found.password):
                raise WrongUse("wrong_password", N_("That is not your present password."))
        with of_field("new"):
            check_password(new)
    except WrongUse as error:
        return await _page(request, visitor, error, status=400)

    await asyncio.to_thread(throttle.signed_in, redis, address_of(request), browser, found.name)
    admin = context.admin.acting_as(visitor.actor)
    hashed = await context.passwords.hash(new)
    changed = await asyncio.to_thread(keep_password, admin, found.name, hashed)
    begun = await asyncio.to_thread(
        context.sessions.begin_as_account, changed.id, changed.generation
    )
    await asyncio.to_thread(context.sessions.end, visitor)
    done = Notice(
        good=True, message=N_("Your password is changed; your other sessions have ended.")
    )
    await asyncio.to_thread(context.sessions.tell, begun, done)

    response = web.Response(status=303, headers={"Location": "/console/account"})
    cookies.give(response, Cookie.OPERATOR, begun.secret, secure=context.secure)
    return response


async def _page(
    request: web.Request, visitor: Visitor, error: WrongUse | None, *, status: int = 200
) -> web.Response:
    found = await asyncio.to_thread(_own, request, visitor)
    values = {"account": found, "error": error}
    return await show(request, visitor, "account.html", values, status=status)


def _own(request: web.Request, visitor: Visitor) -> Operator | None:
    admin = request.app[CONSOLE].admin
    if not visitor.account:
        return None
    with admin.db() as db:
        return find_operator(db, admin.vault, id_=visitor.account)
