"""The operator's way in and out: with name and password, or with the console's own password."""

from __future__ import annotations

import asyncio
import hmac
import logging
from typing import Final

from aiohttp import web

from certmail.gateway.console.access_control import check_form
from certmail.gateway.console.context import CONSOLE, ConsoleContext
from certmail.gateway.console.form_fields import read_form
from certmail.gateway.console.sessions import cookies, throttle
from certmail.gateway.console.sessions.cookies import Cookie
from certmail.gateway.console.sessions.known_browsers import browser_of, new_mark
from certmail.gateway.console.sessions.rights import with_rights
from certmail.gateway.console.sessions.sessions import Visitor, new_secret
from certmail.gateway.console.sessions.wanted_page import SIGN_IN, own
from certmail.gateway.request_ids import request_id
from certmail_config.admin.operators.accounts import rehash
from certmail_config.ledger import Act
from certmail_config.operators.operator import Operator
from certmail_config.operators.passwords import is_of_todays_cost
from certmail_config.sql.operators.rows import any_operator, find_operator

log = logging.getLogger(__name__)

WRONG: Final = "wrong"
WAIT: Final = "wait"


async def sign_in_page(request: web.Request) -> web.Response:
    """Show the form; it sends back what its cookie holds."""
    return await form_page(request, new_secret(), wanted=own(request.query.get("next", "")))


async def sign_in(request: web.Request) -> web.StreamResponse:
    """Let an operator in, under a new session; every try is counted first."""
    context, form = request.app[CONSOLE], await read_form(request)
    expected = cookies.read(request, Cookie.SIGN_IN, secure=context.secure)
    check_form(request, form, expected)

    name, given = form.get("name", ""), form.get("password", "")
    wanted = own(str(form.get("next", "")))
    if not isinstance(given, str) or not isinstance(name, str):
        return await form_page(request, expected, wanted=wanted, status=403)

    account = name.strip().lower()
    redis, vault = context.admin.redis, context.admin.vault
    address = address_of(request)
    mark = cookies.read(request, Cookie.KNOWN, secure=context.secure)
    browser = browser_of(vault, mark, account)
    tried = await asyncio.to_thread(throttle.try_to_sign_in, redis, address, browser, account)
    if tried.wait:
        response = await form_page(
            request,
            expected,
            WAIT,
            wanted=wanted,
            name=name,
            minutes=-(-tried.wait // 60),
            status=429,
        )
        response.headers["Retry-After"] = str(tried.wait)
        return response

    await asyncio.sleep(tried.delay)
    begun = await (
        _by_account(context, account, given) if account else _by_password(context, given)
    )
    if begun is None:
        log.warning("sign_in_refused", extra={"request": request_id(request)})
        return await form_page(request, expected, WRONG, wanted=wanted, name=name, status=403)

    await asyncio.to_thread(throttle.signed_in, redis, address, browser, account)
    response = await let_in(request, begun, wanted)
    if not browser:
        cookies.give(response, Cookie.KNOWN, new_mark(vault, account), secure=context.secure)
    return response


async def let_in(request: web.Request, begun: Visitor, wanted: str) -> web.Response:
    """Give somebody the session that was begun, in place of the one before; on record."""
    context = request.app[CONSOLE]
    before = await asyncio.to_thread(
        context.sessions.find, cookies.read(request, Cookie.OPERATOR, secure=context.secure)
    )
    if before is not None:
        await asyncio.to_thread(context.sessions.end, before)

    visitor = await asyncio.to_thread(with_rights, context.admin, begun) or begun
    admin = context.admin.acting_as(visitor.actor)
    await asyncio.to_thread(admin.record, Act.SIGNED_IN, reason=str(visitor.role))
    log.info("signed_in", extra={"operator": visitor.account, "request": request_id(request)})

    response = web.Response(status=303, headers={"Location": wanted})
    cookies.give(response, Cookie.OPERATOR, begun.secret, secure=context.secure)
    cookies.take_back(response, Cookie.SIGN_IN, secure=context.secure)
    return response


async def sign_out(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """End the session, here and in Redis."""
    context = request.app[CONSOLE]
    await asyncio.to_thread(context.sessions.end, visitor)

    response = web.Response(status=303, headers={"Location": SIGN_IN})
    cookies.take_back(response, Cookie.OPERATOR, secure=context.secure)
    return response


def address_of(request: web.Request) -> str:
    """The address that a request comes from."""
    proxies = request.app[CONSOLE].proxies
    return proxies.client(request.remote or "", request.headers.getall("X-Forwarded-For", []))


async def form_page(
    request: web.Request,
    secret: str,
    trouble: str = "",
    *,
    wanted: str,
    name: str = "",
    minutes: int = 0,
    status: int = 200,
) -> web.Response:
    """The form, with what went wrong."""
    context = request.app[CONSOLE]
    settings = context.admin.settings
    by_password = settings.operator_password is not None
    by_google = settings.operator_oauth_client_id is not None
    by_account = await asyncio.to_thread(_has_accounts, context)
    closed = not (by_password or by_google or by_account)
    values = {
        "form_token": secret,
        "wanted": wanted,
        "trouble": trouble,
        "minutes": minutes,
        "name": name[:63],
        "closed": closed,
        "by_password": by_password,
        "by_account": by_account,
        "by_google": by_google,
        "visitor": None,
        "base": "/console",
    }

    response = context.pages.render(
        request, "sign-in.html", values, status=503 if closed else status
    )
    cookies.give(response, Cookie.SIGN_IN, secret, secure=context.secure)
    return response


async def _by_password(context: ConsoleContext, given: str) -> Visitor | None:
    password = context.admin.settings.operator_password
    if password is None:
        return None
    expected = password.get_secret_value()
    if not hmac.compare_digest(given.encode(), expected.encode()):
        return None
    return await asyncio.to_thread(context.sessions.begin_as_operator, expected)


async def _by_account(context: ConsoleContext, account: str, given: str) -> Visitor | None:
    """Whoever knows an account's password.

    It takes as long for an account that there is not, or that is disabled.
    """
    found = await asyncio.to_thread(_find, context, account)
    hashed = found.password if found is not None and not found.disabled else None
    if not await context.passwords.fits(given, hashed) or found is None or hashed is None:
        return None

    if not is_of_todays_cost(hashed):
        again = await context.passwords.hash(given)
        await asyncio.to_thread(rehash, context.admin, found, again)
    return await asyncio.to_thread(context.sessions.begin_as_account, found.id, found.generation)


def _find(context: ConsoleContext, account: str) -> Operator | None:
    with context.admin.db() as db:
        return find_operator(db, context.admin.vault, name=account)


def _has_accounts(context: ConsoleContext) -> bool:
    with context.admin.db() as db:
        return any_operator(db)
