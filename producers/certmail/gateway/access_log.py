"""The access log: a line for each request, with nothing that was typed or sent.

It says what was asked, by which key, how it ended and how long it took.

The address stands there as its pattern, since ids and secrets are parts of addresses. Whoever is
not let in is counted.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from certmail.gateway.meters import METERS, note_request
from certmail.gateway.request_ids import request_id

log = logging.getLogger(__name__)

KEY: Final[web.RequestKey[str]] = web.RequestKey("api_key_id", str)
"""The id of the API key that a request is allowed by."""
UNHEARD: Final = frozenset({"/healthz", "/readyz"})
"""Addresses that are asked every few seconds; logged when they fail."""
TURNED_AWAY: Final = frozenset({401, 403, 404, 405, 429})


@web.middleware
async def access_log(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """The middleware that answers, and writes the line."""
    began, status = time.monotonic(), 500
    try:
        response = await handler(request)
        status = response.status
    except web.HTTPException as ended:
        status = ended.status
        raise
    else:
        return response
    finally:
        _note(request, status, time.monotonic() - began)


def _note(request: web.Request, status: int, seconds: float) -> None:
    resource = request.match_info.route.resource
    route = "(none)" if resource is None else resource.canonical
    if (meters := request.config_dict.get(METERS)) is not None:
        note_request(meters, route, request.method, status, seconds)
    if route in UNHEARD and status < 500:
        return

    fields: dict[str, object] = {
        "method": request.method,
        "route": route,
        "status": status,
        "ms": round(seconds * 1000),
        "request": request_id(request),
    }
    if (key := request.get(KEY)) is not None:
        fields["key"] = key
    if status in TURNED_AWAY:
        fields["alike"] = f"{status} {route}"

    log.info("request", extra=fields)
