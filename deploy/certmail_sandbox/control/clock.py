"""Control API: the clock, which only goes forward, and how long access tokens live.

Everything that ages at Google ages with it: tokens, consents, certificates, windows of limits.
`Date` follows it too. To a client that signs assertions it looks as if the client's own clock were
wrong, as it would at Google.
"""

from __future__ import annotations

from aiohttp import web

from certmail_sandbox.control.body import json_body
from certmail_sandbox.state import State, state_of
from certmail_sandbox.wire.clock import rfc3339
from certmail_sandbox.wire.fields import MAX_SECONDS, Fields, Refused


async def show(request: web.Request) -> web.Response:
    """`GET /clock`: what time it is at Google, and how many seconds that is ahead."""
    return web.json_response(_clock(state_of(request)))


async def advance(request: web.Request) -> web.Response:
    """`POST /clock {advance}`: let so many seconds pass."""
    state = state_of(request)
    fields = Fields(await json_body(request))
    seconds = fields.seconds("advance")
    fields.end()

    if seconds is None:
        raise Refused("advance is missing.")
    if state.ahead + seconds > MAX_SECONDS:
        raise Refused("The clock goes ten years ahead at most.")

    state.ahead += seconds
    return web.json_response(_clock(state))


async def put_tokens(request: web.Request) -> web.Response:
    """`PUT /tokens {access_seconds}`: how long access tokens live that are handed out from now on.

    For whoever wants them renewed more often than Google lets them be.
    """
    tokens = state_of(request).tokens
    fields = Fields(await json_body(request))
    seconds = fields.whole("access_seconds", minimum=1, maximum=43_200)
    fields.end()

    if seconds is None:
        raise Refused("access_seconds is missing.")

    tokens.access_seconds = seconds
    return web.json_response({"access_seconds": seconds})


def _clock(state: State) -> dict[str, object]:
    return {"now": rfc3339(state.now()), "ahead": state.ahead}


def add_routes(app: web.Application) -> None:
    """Add the clock, and what ages by it."""
    app.router.add_get("/_sandbox/clock", show)
    app.router.add_post("/_sandbox/clock", advance)
    app.router.add_put("/_sandbox/tokens", put_tokens)
