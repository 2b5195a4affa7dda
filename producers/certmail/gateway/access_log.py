"""A line for each request: what was asked, by which key, how it ended and how long it took; nothing that was typed or sent.

The address stands there as its pattern, since ids and secrets are parts of addresses. Whoever is
not let in is counted.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from certmail.gateway.request_ids import request_id

log = logging.getLogger(__name__)

KEY: Final[web.RequestKey[str]] = web.RequestKey("api_key_id", str)
"""The id of the API key that a request is allowed by."""
UNHEARD: Final = frozenset({"/healthz", "/readyz"})
"""What asks every few seconds; heard of when it fails."""
TURNED_AWAY: Final = frozenset({401, 403, 404, 405, 429})


@web.middleware
async def noted(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer, and write the line."""
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
    if route in UNHEARD and status < 500:
        return

    said: dict[str, object] = {
        "method": request.method,
        "route": route,
        "status": status,
        "ms": round(seconds * 1000),
        "request": request_id(request),
    }

    if (key := request.get(KEY)) is not None:
        said["key"] = key
    if status in TURNED_AWAY:
        said["alike"] = f"{status} {route}"
    log.info("request", extra=said)
