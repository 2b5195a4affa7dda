"""The operator's way in and out."""

from __future__ import annotations

import asyncio
import hmac
import logging
from typing import Final

from aiohttp import web

from certmail.gateway.console.access_control import check_form
from certmail.gateway.console.context import CONSOLE
from certmail.gateway.console.form_fields import read_form
from certmail.gateway.console.sessions import cookies, throttle
from certmail.gateway.console.sessions.cookies import Cookie
from certmail.gateway.console.sessions.known_browsers import browser_of, new_mark
from certmail.gateway.console.sessions.sessions import Visitor, new_secret
from certmail.gateway.console.sessions.wanted_page import SIGN_IN, own
from certmail.gateway.request_ids import request_id

log = logging.getLogger(__name__)

_WRONG: Final = "wrong"
_WAIT: Final = "wait"


async def sign_in_page(request: web.Request) -> web.Response:
    """Show the form; it sends back what its cookie holds."""
    return _form(request, new_secret(), wanted=own(request.query.get("next", "")))


async def sign_in(request: web.Request) -> web.StreamResponse:
    """Let an operator in, under a new session; every try is counted first."""
    context, form = request.app[CONSOLE], await read_form(request)
    expected = cookies.read(request, Cookie.SIGN_IN, secure=context.secure)
    check_form(request, form, expected)

    password = context.admin.settings.operator_password
    given, wanted = form.get("password", ""), own(str(form.get("next", "")))
    if password is None or not isinstance(given, str):
        return _form(request, expected, wanted=wanted, status=403)

    redis, vault = context.admin.redis, context.admin.vault
    address = context.proxies.client(
        request.remote or "", request.headers.getall("X-Forwarded-For", [])
    )
    browser = browser_of(vault, cookies.read(request, Cookie.KNOWN, secure=context.secure))
    tried = await asyncio.to_thread(throttle.try_to_sign_in, redis, address, browser)
    if tried.wait:
        response = _form(
            request, expected, _WAIT, wanted=wanted, minutes=-(-tried.wait // 60), status=429
        )
        response.headers["Retry-After"] = str(tried.wait)
        return response

    await asyncio.sleep(tried.delay)
    if not hmac.compare_digest(given.encode(), password.get_secret_value().encode()):
        log.warning("sign_in_refused", extra={"request": request_id(request)})
        return _form(request, expected, _WRONG, wanted=wanted, status=403)

    await asyncio.to_thread(throttle.signed_in, redis, address, browser)
    before = await asyncio.to_thread(
        context.sessions.find, cookies.read(request, Cookie.OPERATOR, secure=context.secure)
    )
    if before is not None:
        await asyncio.to_thread(context.sessions.end, before)

    visitor = await asyncio.to_thread(
        context.sessions.begin_as_operator, password.get_secret_value()
    )

    response = web.Response(status=303, headers={"Location": wanted})
    cookies.give(response, Cookie.OPERATOR, visitor.secret, secure=context.secure)
    if not browser:
        cookies.give(response, Cookie.KNOWN, new_mark(vault), secure=context.secure)
    cookies.take_back(response, Cookie.SIGN_IN, secure=context.secure)

    log.info("signed_in", extra={"request": request_id(request)})
    return response


async def sign_out(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """End the session, here and in Redis."""
    context = request.app[CONSOLE]
    await asyncio.to_thread(context.sessions.end, visitor)

    response = web.Response(status=303, headers={"Location": SIGN_IN})
    cookies.take_back(response, Cookie.OPERATOR, secure=context.secure)
    return response


def _form(
    request: web.Request,
    secret: str,
    trouble: str = "",
    *,
    wanted: str,
    minutes: int = 0,
    status: int = 200,
) -> web.Response:
    context = request.app[CONSOLE]
    closed = context.admin.settings.operator_password is None
    values = {
        "form_token": secret,
        "wanted": wanted,
        "trouble": trouble,
        "minutes": minutes,
        "closed": closed,
        "visitor": None,
        "base": "/console",
    }

    response = context.pages.render(
        request, "sign-in.html", values, status=503 if closed else status
    )
    cookies.give(response, Cookie.SIGN_IN, secret, secure=context.secure)
    return response
