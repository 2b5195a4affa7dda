"""The console's middleware: headers, the one address, and a page for whatever went wrong."""

from __future__ import annotations

import logging
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from redis.exceptions import RedisError

from certmail.gateway.console import texts
from certmail.gateway.console.access_control import VISITOR, AccessDenied, Bare
from certmail.gateway.console.campaigns.uploads import MAX_FORM
from certmail.gateway.console.context import CONSOLE, ConsoleContext
from certmail.gateway.console.texts import N_
from certmail.gateway.headers import doubled
from certmail.gateway.request_ids import request_id
from certmail.gateway.store_outage import for_clients
from certmail_config.base.errors import (
    CertmailError,
    Refused,
    SealBroken,
    SettingsError,
    StoresUnreachable,
    WrongUse,
)
from certmail_config.base.urls import LOOPBACK, origin
from certmail_config.templates.documents import LARGEST

log = logging.getLogger(__name__)

OURS: Final = ("/console", "/connect", "/oauth/google")
MAX_BYTES: Final = 64 * 1024
"""Bytes of the largest form: none of ours holds more."""
TEMPLATES: Final = "/console/tenants/"
MAX_TEMPLATES_BYTES: Final = LARGEST + 64 * 1024
"""The same of a tenant's templates."""
NEW_CAMPAIGN: Final = "/console/campaigns/new"
"""A form that takes files (`MAX_FORM`)."""
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
    N_("Try again; the gateway’s log says what it was."),
)


@web.middleware
async def console_middleware(request: web.Request, handler: Bare) -> web.StreamResponse:
    """Put headers on each answer, and answer whatever went wrong with a page that says so."""
    if not _is_ours(request.path):
        return await handler(request)

    try:
        if doubled(request.headers):
            raise web.HTTPBadRequest

        _check_size(request)
        _check_address(request)
        response = await handler(request)
    except web.HTTPRedirection as redirection:
        response = redirection
    except web.HTTPException as error:
        response = _page(request, _of_http(error), error.status)
        response.headers.update(
            {n: v for n, v in error.headers.items() if n.title() in {"Allow", "Retry-After"}}
        )
    except CertmailError as error:
        response = _failed(request, error)
    except RedisError:
        response = _failed(request, _UNAVAILABLE)
    except Exception:
        log.exception("page_failed", extra=_where(request))
        response = _page(request, _FAILED, 500)

    _protect(response, request.app[CONSOLE])
    if isinstance(response, web.HTTPException):
        raise response
    return response


def _protect(response: web.StreamResponse, context: ConsoleContext) -> None:
    """Put on the headers that are not there: of a page with a frame, and of the mail in it, some are."""
    ours = {"Content-Security-Policy": policy_of(context), "Cache-Control": "no-store"}
    if context.secure:
        ours["Strict-Transport-Security"] = "max-age=31536000"
    for name, value in (_HEADERS | ours).items():
        response.headers.setdefault(name, value)


def _check_size(request: web.Request) -> None:
    """Refuse what is larger than any form of ours, before it is read.

    Browsers say how large a form is.
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise web.HTTPUnsupportedMediaType
    most = MAX_TEMPLATES_BYTES if request.path.startswith(TEMPLATES) else MAX_BYTES
    most = MAX_FORM if request.path == NEW_CAMPAIGN else most
    if request.body_exists and (request.content_length is None or request.content_length > most):
        raise web.HTTPRequestEntityTooLarge(most, request.content_length or 0)


def _check_address(request: web.Request) -> None:
    """On one machine, lead from localhost to the address that Google leads back to.

    Cookies are kept for each apart.
    """
    settings = request.app[CONSOLE].admin.settings
    ours = urlsplit(settings.base_url)
    host, _, port = request.host.rpartition(":")
    another = (
        host.strip("[]") in LOOPBACK
        and ours.hostname in LOOPBACK
        and host != ours.netloc.rpartition(":")[0]
    )
    if (
        request.method in {"GET", "HEAD"}
        and settings.public_url is None
        and another
        and port == str(ours.port)
    ):
        raise web.HTTPSeeOther(settings.base_url + request.path_qs)


def _is_ours(path: str) -> bool:
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in OURS)


def policy_of(context: ConsoleContext, besides: str = "") -> str:
    """The policy of a page of ours; `besides` is what this one needs more."""
    # A form may lead to Google's page by a redirect, which browsers count as the form's.
    google = origin(context.admin.settings.google_auth_url)
    return (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        f"form-action 'self' {google}; {besides}frame-ancestors 'none'; base-uri 'none'"
    )


def _status(error: CertmailError) -> int:
    match error:
        case AccessDenied():
            return 403
        case StoresUnreachable() | SealBroken() | SettingsError():
            return 503
        case Refused(
            code="unknown_connection"
            | "unknown_tenant"
            | "unknown_sample"
            | "unknown_reminder"
            | "unknown_webhook"
            | "unknown_message"
            | "unknown_campaign"
        ):
            return 404
        case Refused():
            return 409
        case WrongUse():
            return 400
        case _:
            return 500


def _of_http(error: web.HTTPException) -> CertmailError:
    if error.status == 404:
        return Refused(
            "not_found", N_("There is no such page."), N_("Go back to where you came from.")
        )
    if error.status == 408:
        return WrongUse("too_slow", N_("The form did not come in time."), N_("Send it again."))
    if error.status == 429:
        return WrongUse("too_often", N_("That is too often."), N_("Try again in a minute."))
    if error.status == 413:
        return WrongUse("too_large", N_("That is more than any form of ours holds."))

    return WrongUse("not_possible", f"That is not possible here ({error.reason}).")


def _failed(request: web.Request, error: CertmailError) -> web.Response:
    """A page that says what went wrong; what the operator must mend is logged, too."""
    status = _status(error)
    if isinstance(error, StoresUnreachable):
        error = for_clients(error)
    if status >= 500:
        said = {"code": error.code, "error": error.message}
        log.warning("page_unavailable", extra=said | _where(request))

    return _page(request, error, status)


def _where(request: web.Request) -> dict[str, str]:
    resource = request.match_info.route.resource
    route = "(none)" if resource is None else resource.canonical
    return {"route": route, "request": request_id(request)}


def _page(request: web.Request, error: CertmailError, status: int) -> web.Response:
    values = {
        "error": error,
        "base": "/connect" if request.path.startswith("/connect") else "/console",
    }
    return request.app[CONSOLE].pages.render(
        request,
        "error.html",
        {**values, "texts": texts, "visitor": request.get(VISITOR)},
        status=status,
    )
