"""Control API: the clock, which only goes forward, and how long access tokens live.

Everything that ages at Google ages with it: tokens, consents, certificates, windows of limits.
Where it stands, they do not age: nothing that was used is free again before the clock is set later.
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
    """`GET /clock`: what time it is at Google, how many seconds that is ahead, and whether it stands."""
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
    if state.stands_at is not None:
        state.stands_at += seconds
    return web.json_response(_clock(state))


async def stand(request: web.Request) -> web.Response:
    """`PUT /clock {stands_at}`: let it be this time, until a later one is set.

    For whoever plays time: what happens between two settings happens at one moment, however long it
    really takes. It goes again after a reset.
    """
    state = state_of(request)
    fields = Fields(await json_body(request))
    at = fields.time("stands_at")
    fields.end()

    if at is None:
        raise Refused("stands_at is missing.")
    now = state.now()
    if at < now:
        raise Refused(f"The clock only goes forward, and it is {rfc3339(now)}.")
    if state.ahead + (at - now) > MAX_SECONDS:
        raise Refused("The clock goes ten years ahead at most.")

    state.ahead += at - now
    state.stands_at = at
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
    stands = state.stands_at is not None
    return {"now": rfc3339(state.now()), "ahead": state.ahead, "stands": stands}


def add_routes(app: web.Application) -> None:
    """Add the clock, and what ages by it."""
    app.router.add_get("/_sandbox/clock", show)
    app.router.add_post("/_sandbox/clock", advance)
    app.router.add_put("/_sandbox/clock", stand)
    app.router.add_put("/_sandbox/tokens", put_tokens)
