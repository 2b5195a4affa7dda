"""Receivers of webhooks: real HTTP servers, each with a habit, that check what they are sent.

They verify by themselves, written after the specification and with nothing of certmail's.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

Habit = Callable[["Received"], Awaitable[web.StreamResponse]]
TOLERANCE_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came: the message's id, how often that came before, and its body."""

    request: web.Request
    id: str
    before: int
    body: Mapping[str, Any]


@dataclass(slots=True)
class Receiver:
    """A server on a port of this machine; `secrets` are those that it knows."""

    url: str = ""
    secrets: tuple[str, ...] = ()
    habit: Habit | None = None
    taken: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    """What it took, by the message's id, in the order of the first time."""
    seen: dict[str, int] = field(default_factory=dict)
    """How often each message came, taken or not."""
    forged: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    tolerance: float = TOLERANCE_SECONDS
    most_at_once: int = 0
    _at_once: int = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Verify, remember, and do as it is used to."""
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return await self._answer(request)
        finally:
            self._at_once -= 1

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        id_ = request.headers.get("webhook-id", "")
        if not verified(request.headers, text, self.secrets, time.time(), self.tolerance):
            self.forged.append(id_)
            return web.Response(status=401)

        self.headers.append(dict(request.headers))
        received = Received(request, id_, self.seen.get(id_, 0), json.loads(text))
        self.seen[id_] = received.before + 1
        response = await self.habit(received) if self.habit else web.Response(status=204)
        if 200 <= response.status < 300:
            self.taken.setdefault(id_, []).append(received.body)
        return response

    def in_order(self) -> bool:
        """Whether within each reminder the first time of each event came in order."""
        last: dict[str, int] = {}
        for bodies in self.taken.values():
            data = bodies[0]["data"]
            if data["sequence"] <= last.get(data["reminder"], 0):
                return False
            last[data["reminder"]] = data["sequence"]
        return True


def verified(
    headers: Mapping[str, str],
    body: str,
    secrets: tuple[str, ...],
    now: float,
    tolerance: float = TOLERANCE_SECONDS,
) -> bool:
    """Whether a message is signed with one of the secrets, and just now."""
    id_, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not at.isdigit() or abs(now - int(at)) > tolerance:
        return False

    marks = [each.partition(",") for each in headers.get("webhook-signature", "").split(" ")]
    for secret in secrets:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        mark = hmac.new(key, f"{id_}.{at}.{body}".encode(), hashlib.sha256).digest()
        wanted = base64.b64encode(mark).decode()
        if any(kind == "v1" and hmac.compare_digest(given, wanted) for kind, _, given in marks):
            return True
    return False


@asynccontextmanager
async def receiver(
    *secrets: str, habit: Habit | None = None, port: int = 0
) -> AsyncIterator[Receiver]:
    """A receiver that listens."""
    made = Receiver(secrets=secrets, habit=habit)
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", made.answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    made.url = f"{site.name}/hooks"
    try:
        yield made
    finally:
        await runner.cleanup()


def status(code: int, **headers: str) -> Habit:
    """Answer everything with a status."""

    async def answer(_: Received) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=code, headers=named)

    return answer


def slowly(seconds: float) -> Habit:
    """Take everything, but not soon."""

    async def answer(_: Received) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return web.Response(status=204)

    return answer


async def hang(_: Received) -> web.StreamResponse:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError


async def flood(received: Received) -> web.StreamResponse:
    """Take it, and answer with more than anybody can read."""
    response = web.StreamResponse(status=200)
    await response.prepare(received.request)
    try:
        while True:
            await response.write(b"x" * 65_536)
    except (ConnectionError, asyncio.CancelledError):
        return response
