"""Request ids: each request has one, in its answer and in whatever the log says of it.

So both sides can speak of it.
"""

from __future__ import annotations

import re
from typing import Final
from uuid import uuid4

from aiohttp import web

HEADER: Final = "X-Request-Id"
_GIVEN: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
"""What a client may call a request; anything else is not repeated, least of all in a log."""
_ID: Final[web.RequestKey[str]] = web.RequestKey("request_id", str)


def request_id(request: web.BaseRequest) -> str:
    """The request's id: its client's, or one of our own."""
    known = request.get(_ID)
    if known is None:
        given = request.headers.get(HEADER, "")
        known = given if _GIVEN.fullmatch(given) else uuid4().hex
        request[_ID] = known
    return known


async def add_request_id(request: web.Request, response: web.StreamResponse) -> None:
    """Put it on an answer; for an application's `on_response_prepare`."""
    response.headers[HEADER] = request_id(request)
