"""Access control of the console: who may see which page, and which forms are taken.

It goes by cookies, set-up links, and the token that only our pages know.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from aiohttp import web

from certmail.gateway.access_log import note
from certmail.gateway.console.context import CONSOLE, ConsoleContext
from certmail.gateway.console.form_fields import read_form
from certmail.gateway.console.sessions import cookies, wanted_page
from certmail.gateway.console.sessions.cookies import Cookie
from certmail.gateway.console.sessions.rights import with_rights
from certmail.gateway.console.sessions.sessions import Visitor
from certmail.gateway.console.tenant_lookup import connection_named, tenant_of
from certmail.gateway.console.texts import N_
from certmail_config.admin.setup_links import latest
from certmail_config.base.errors import CertmailError, Refused
from certmail_config.base.urls import origin
from certmail_config.operators.roles import OperatorRole
from certmail_config.tenants.models import TenantState

Page = Callable[[web.Request, Visitor], Awaitable[web.StreamResponse]]
Bare = Callable[[web.Request], Awaitable[web.StreamResponse]]
FormReader = Callable[[web.Request], Awaitable[Mapping[str, Any]]]
VISITOR: Final = web.RequestKey("visitor", Visitor)
"""Who was let in with this request; an error page shows them their way on."""
_CSRF: Final = "csrf"
BY_ITSELF: Final = "X-Live"
"""The header of what a page's script asks without a person."""
LIVE: Final = "/console/live"
"""Where pages listen for what has changed."""


class AccessDenied(CertmailError):
    """A request that was not made by somebody who is let in, or not on one of our pages."""


def _foreign() -> AccessDenied:
    return AccessDenied(
        "foreign_request",
        N_("This was not sent from a page of certmail, or the page was too old."),
        N_("Go back, reload the page, and try again."),
    )


def _not_open() -> AccessDenied:
    return AccessDenied(
        "link_not_open",
        N_(
            "This set-up is not open in this browser: its link has ended, was replaced, or was opened elsewhere."
        ),
        N_("Ask whoever sent you the link for a new one."),
    )


def not_allowed(needed: OperatorRole) -> AccessDenied:
    """What somebody is told whose role does not allow what this one is needed for."""
    return AccessDenied(
        "role_missing",
        N_("Only admins may do this.")
        if needed is OperatorRole.ADMIN
        else N_("Operators and admins may do this; your role is viewer."),
        N_("Ask an admin to do it, or for the role."),
    )


def for_operator(page: Page, needed: OperatorRole, read: FormReader = read_form) -> Bare:
    """A page for operators whose role covers what it needs; `read` reads the form that it takes."""

    async def bare(request: web.Request) -> web.StreamResponse:
        context = request.app[CONSOLE]
        secret = cookies.read(request, Cookie.OPERATOR, secure=context.secure)
        # What a page asks by itself keeps nobody's visit from ending.
        renew = request.headers.get(BY_ITSELF) is None and request.path != LIVE
        visitor = await asyncio.to_thread(operator_of, context, secret, renew=renew)
        if visitor is None:
            raise web.HTTPSeeOther(wanted_page.to_sign_in(request.method, request.path))
        if not visitor.may(needed):
            request[VISITOR] = visitor
            raise not_allowed(needed)
        return await _admit(request, visitor, page, read)

    return bare


def for_administrator(page: Page) -> Bare:
    """A page for whoever opened a set-up link."""

    async def bare(request: web.Request) -> web.StreamResponse:
        context = request.app[CONSOLE]
        secret = cookies.read(request, Cookie.SETUP, secure=context.secure)
        visitor = await asyncio.to_thread(_administrator, context, secret)
        if visitor is None:
            raise _not_open()
        return await _admit(request, visitor, page)

    return bare


def operator_of(context: ConsoleContext, secret: str, *, renew: bool) -> Visitor | None:
    """The operator whose cookie this is; None for nobody's. Blocks; raises RedisError."""
    visitor = context.sessions.find(secret, renew=renew)
    if visitor is None or not visitor.is_operator:
        return None
    return with_rights(context.admin, visitor)


def _administrator(context: ConsoleContext, secret: str) -> Visitor | None:
    visitor = context.sessions.find(secret)
    if visitor is None or visitor.is_operator:
        return None
    return visitor if _stands(context, visitor) else None


def _stands(context: ConsoleContext, visitor: Visitor) -> bool:
    """Whether an administrator's visit goes on.

    It ends with a newer link, when the tenant is suspended, or what was set up is removed.
    """
    link = latest(context.admin.strongbox, visitor.tenant)
    if link.link != visitor.link if link is not None else not visitor.complete:
        return False

    try:
        suspended = tenant_of(context, visitor.tenant).state == TenantState.SUSPENDED
        found = connection_named(context, visitor.tenant, visitor.name)
    except Refused:
        return False  # the tenant is removed

    there = not visitor.complete or (found is not None and found.id == visitor.connection)
    return there and not suspended


async def _admit(
    request: web.Request, visitor: Visitor, page: Page, read: FormReader = read_form
) -> web.StreamResponse:
    request[VISITOR] = visitor
    note(request, tenant=visitor.tenant or request.match_info.get("tenant", ""))
    if request.method == "POST":
        check_form(request, await read(request), visitor.csrf)

        # Who was only invited may not fill what others need.
        if not visitor.is_operator:
            context = request.app[CONSOLE]
            if not context.rate_limit.allows(visitor.link):
                raise web.HTTPTooManyRequests
            await asyncio.to_thread(context.space.require)

    return await page(request, visitor)


def check_form(request: web.Request, form: Mapping[str, Any], expected: str) -> None:
    """Check that a form was sent from a page that we gave to this browser; raises AccessDenied."""
    ours = origin(request.app[CONSOLE].admin.settings.base_url)
    named = request.headers.get("Origin")
    if named is not None and named == f"{request.scheme}://{request.host}" != ours:
        raise AccessDenied(
            "another_address",
            f"This page was opened at {named}, but certmail’s address is {ours}.",
            "Open it there. If that is not where browsers reach it, set CERTMAIL_PUBLIC_URL and start the gateway again.",
        )

    given = form.get(_CSRF, "")
    if (
        request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin"
        or (named is not None and named != ours)
        or not isinstance(given, str)
        or not expected
        or not hmac.compare_digest(given.encode(), expected.encode())
    ):
        raise _foreign()
