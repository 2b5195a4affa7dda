"""Who is let in where, and what no request gets past: headers, cookies, tokens of forms, sentences for what went wrong."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from aiohttp import web
from redis.exceptions import RedisError

from certmail.gateway.console import cookies
from certmail.gateway.console.cookies import Cookie
from certmail.gateway.console.front import FRONT, Front
from certmail.gateway.console.visitors import Visitor
from certmail.gateway.console.words import N_
from certmail_config.errors import (
    CertmailError,
    Refused,
    SealBroken,
    SettingsError,
    StoresUnreachable,
    WrongUse,
)
from certmail_config.setup_links import standing
from certmail_config.web_addresses import origin

log = logging.getLogger(__name__)

Page = Callable[[web.Request, Visitor], Awaitable[web.StreamResponse]]
Bare = Callable[[web.Request], Awaitable[web.StreamResponse]]
OURS: Final = ("/console", "/connect", "/oauth/google")
_CSRF: Final = "csrf"
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_UNAVAILABLE: Final = StoresUnreachable(
    "redis_unreachable",
    N_("Redis does not answer at the moment."),
    N_("Try again in a moment."),
)


_FAILED: Final = CertmailError(
    "page_failed",
    N_("Something went wrong here."),
    N_("Try again; the gateway's log says what it was."),
)


class NotLetIn(CertmailError):
    """A request that was not made by somebody who is let in, or not on one of our pages."""


_FOREIGN: Final = NotLetIn(
    "foreign_request",
    N_("This was not sent from a page of certmail, or the page was too old."),
    N_("Go back, reload the page, and try again."),
)
_CLOSED: Final = NotLetIn(
    "link_not_open",
    N_("This set-up is not open in this browser: its link has ended, was replaced, or was opened elsewhere."),
    N_("Ask whoever sent you the link for a new one."),
)


def for_operator(page: Page) -> Bare:
    """A page for operators only."""

    async def bare(request: web.Request) -> web.StreamResponse:
        front = request.app[FRONT]
        secret = cookies.read(request, Cookie.OPERATOR, secure=front.secure)
        visitor = await asyncio.to_thread(front.visitors.find, secret)
        if visitor is None or not visitor.is_operator:
            raise web.HTTPSeeOther("/console/sign-in")
        return await _admit(request, visitor, page)

    return bare


def for_administrator(page: Page) -> Bare:
    """A page for whoever opened a set-up link."""

    async def bare(request: web.Request) -> web.StreamResponse:
        front = request.app[FRONT]
        secret = cookies.read(request, Cookie.SETUP, secure=front.secure)
        visitor = await asyncio.to_thread(_administrator, front, secret)
        if visitor is None:
            raise _CLOSED
        return await _admit(request, visitor, page)

    return bare


def _administrator(front: Front, secret: str) -> Visitor | None:
    visitor = front.visitors.find(secret)
    if visitor is None or visitor.is_operator:
        return None
    stands = visitor.complete or standing(front.office.redis, visitor.tenant, visitor.link)
    return visitor if stands else None


async def _admit(request: web.Request, visitor: Visitor, page: Page) -> web.StreamResponse:
    if request.method == "POST":
        check_form(request, await request.post(), visitor.csrf)
    return await page(request, visitor)


def check_form(request: web.Request, form: Mapping[str, Any], expected: str) -> None:
    """See that a form was sent from a page that we gave to this browser; raises NotLetIn."""
    ours = origin(request.app[FRONT].office.settings.gateway_url)
    said = request.headers.get("Origin")
    given = form.get(_CSRF, "")
    if (
        request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin"
        or (said is not None and said != ours)
        or not isinstance(given, str)
        or not expected
        or not hmac.compare_digest(given.encode(), expected.encode())
    ):
        raise _FOREIGN


@web.middleware
async def guard(request: web.Request, handler: Bare) -> web.StreamResponse:
    """The console's middleware: headers on each answer, and a page with a sentence for whatever went wrong."""
    if not _is_ours(request.path):
        return await handler(request)
    try:
        response = await handler(request)
    except web.HTTPRedirection as redirection:
        response = redirection
    except web.HTTPException as error:
        response = _page(request, _of_http(error), error.status)
        response.headers.update(
            {n: v for n, v in error.headers.items() if n.title() in {"Allow", "Retry-After"}}
        )
    except CertmailError as error:
        response = _page(request, error, _status(error))
    except RedisError:
        response = _page(request, _UNAVAILABLE, 503)
    except Exception:
        log.exception("page_failed")
        response = _page(request, _FAILED, 500)
    response.headers.update(_HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Content-Security-Policy"] = _policy(request.app[FRONT])
    if request.app[FRONT].secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if isinstance(response, web.HTTPException):
        raise response
    return response


def _is_ours(path: str) -> bool:
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in OURS)


def _policy(front: Front) -> str:
    # A form may lead to Google's page by a redirect, which browsers count as the form's.
    google = origin(front.office.settings.google_auth_url)
    return (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        f"form-action 'self' {google}; frame-ancestors 'none'; base-uri 'none'"
    )


def _status(error: CertmailError) -> int:
    match error:
        case NotLetIn():
            return 403
        case StoresUnreachable() | SealBroken() | SettingsError():
            return 503
        case Refused(code="unknown_connection" | "unknown_tenant"):
            return 404
        case Refused():
            return 409
        case WrongUse():
            return 400
        case _:
            return 500


def _of_http(error: web.HTTPException) -> CertmailError:
    if error.status == 404:
        return Refused("not_found", N_("There is no such page."), N_("Go back to where you came from."))
    if error.status == 413:
        return WrongUse("too_large", N_("That is more than any form of ours holds."))
    return WrongUse("not_possible", f"That is not possible here ({error.reason}).")


def _page(request: web.Request, error: CertmailError, status: int) -> web.Response:
    values = {"error": error, "base": "/connect" if request.path.startswith("/connect") else "/console"}
    return request.app[FRONT].pages.render(request, "error.html", {**values, "visitor": None}, status=status)
