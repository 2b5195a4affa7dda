"""The stream that a page listens to: server-sent events, as long as the visit lasts."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Final

from aiohttp import web

from certmail.gateway.console.live.hub import LiveHub, LiveStream
from certmail.gateway.console.long_answers import still_going
from certmail.gateway.console.sessions.sessions import Visitor

BEAT_SECONDS: Final = 15.0
"""So often something is written in any case: whoever is gone is noticed, and proxies wait."""
RETRY_MS: Final = 5_000
HUB: Final[web.AppKey[LiveHub]] = web.AppKey("live", LiveHub)


async def live(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Say whenever something has changed, and whose it is: `{"tenants": ["acme"]}`, `*` for all.

    What has changed is not said: the page asks for itself again, as whoever looks at it may.
    """
    hub = request.app[HUB]
    stream = hub.enter(visitor.secret)
    if stream is None:
        raise web.HTTPTooManyRequests(headers={"Retry-After": "60"})

    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream",
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
        }
    )
    try:
        with suppress(ConnectionError):  # the page is closed
            await response.prepare(request)
            await _tell(request, response, stream)
    finally:
        hub.leave(stream)

    return response


async def _tell(request: web.Request, response: web.StreamResponse, stream: LiveStream) -> None:
    await response.write(f"retry: {RETRY_MS}\n\n".encode())

    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(BEAT_SECONDS):
                await stream.woken.wait()
        tenants = stream.take()
        if stream.ended:
            break
        said = f"data: {json.dumps({'tenants': sorted(tenants)})}\n\n" if tenants else ":\n\n"
        await response.write(said.encode())
        still_going(request)

    # So that the browser does not come back at once to a visit that is over.
    await response.write(b"event: over\ndata: {}\n\n")
    await response.write_eof()
