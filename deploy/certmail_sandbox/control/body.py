"""The body of a control request."""

from __future__ import annotations

import json

from aiohttp import web

from certmail_sandbox.wire.fields import Refused


async def json_body(request: web.Request) -> object:
    """The JSON of a control request, whatever Content-Type says; no body is an empty object.

    Raises Refused if it is no JSON.
    """
    body = await request.read()
    try:
        return json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        raise Refused("The body is not JSON.") from None
