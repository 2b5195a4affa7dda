"""The body of a control request."""

import json

from aiohttp import web

from certmail_sandbox.wire.fields import Refused


async def json_body(request: web.Request) -> object:
    """JSON, whatever Content-Type says; no body counts as an empty object."""
    body = await request.read()
    try:
        return json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        raise Refused("The body is not JSON.") from None
