"""An answer as the client asked for it, and a refusal in the form asked for.

The client chooses how much of it, and whether it is indented.
"""

from __future__ import annotations

import json

from aiohttp import web

from certmail_sandbox.wire.errors import ApiError, GoogleError, Json
from certmail_sandbox.wire.parameters import Shape

SHAPE = web.RequestKey("shape", Shape)
OLD, NEW = "1", "2"


def reply(request: web.Request, value: Json) -> web.Response:
    """200 with so much of a resource as the request wants.

    The request has passed `parameters.check`.
    """
    shape = request[SHAPE]
    text = json.dumps(
        shape.wanted.of(value), ensure_ascii=False, indent=2 if shape.pretty else None
    )
    return web.Response(text=text, content_type="application/json")


def refuse(request: web.Request, refusal: GoogleError) -> web.Response:
    """A refusal, in the form that `$.xgafv` chooses."""
    if isinstance(refusal, ApiError) and (form := request.query.get("$.xgafv")) in {OLD, NEW}:
        body = refusal.old_body() if form == OLD else refusal.new_body()
        return web.json_response(body, status=refusal.status, headers=refusal.headers())
    return refusal.response()
