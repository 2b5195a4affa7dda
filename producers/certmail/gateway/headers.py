"""Headers that every answer of the gateway carries, whoever made it.

Pages, the API, files, errors, and refused connections.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aiohttp import web
from multidict import CIMultiDictProxy

from certmail.gateway.request_ids import add_request_id

_ALWAYS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Headers of every answer that does not say otherwise."""
_DECIDING: Final = (
    "Authorization",
    "Idempotency-Key",
    "Origin",
    "Sec-Fetch-Site",
    "Content-Encoding",
)
"""Headers that may be given once only: of two somebody between might heed the other one.

Those that HTTP itself is read by are refused with the head.
"""
_NAME: Final = "certmail"
"""The server's name in answers: not which version of what serves it."""


def doubled(headers: CIMultiDictProxy[str]) -> str:
    """The header that decides something and is given more than once; empty if none is."""
    return next((name for name in _DECIDING if len(headers.getall(name, ())) > 1), "")


def protective(*, secure: bool) -> dict[str, str]:
    """The headers; `secure` says that browsers and clients reach the gateway by HTTPS."""
    return dict(_ALWAYS) | ({"Strict-Transport-Security": "max-age=31536000"} if secure else {})


def protect(app: web.Application, *, secure: bool) -> None:
    """Put them on everything that the application answers."""
    wanted = protective(secure=secure)

    async def add(_: web.Request, response: web.StreamResponse) -> None:
        complete(response, wanted)

    app.on_response_prepare.append(add)
    app.on_response_prepare.append(add_request_id)


def complete(response: web.StreamResponse, wanted: Mapping[str, str]) -> None:
    """Add what an answer lacks."""
    for name, value in wanted.items():
        response.headers.setdefault(name, value)

    response.headers["Server"] = _NAME
