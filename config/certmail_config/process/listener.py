"""A process's own HTTP listener, on CERTMAIL_METRICS_LISTEN: for probes and Prometheus.

It has a thread and a loop of its own, so that it answers while the loop that works does not.
Whoever asks is not known: each connection lasts some seconds at most, and the oldest makes room for
those that come.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_server import Server

log = logging.getLogger(__name__)
T = TypeVar("T")

MAX_CONNECTIONS: Final = 32
CONNECTION_SECONDS: Final = 15.0
"""How long a connection may last, whatever it asks: longer than any probe or scrape waits."""
START_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Page:
    """What is answered."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"


Handler = Callable[[], Awaitable[Page]]
"""Makes a page; it runs on the listener's loop, and so waits for the process's with a bound only."""


class HealthListener:
    """Serves pages by their path, from a thread of its own."""

    def __init__(
        self,
        host: str,
        port: int,
        pages: Mapping[str, Handler],
        *,
        connection_seconds: float = CONNECTION_SECONDS,
    ) -> None:
        self._place = host, port
        self._connection_seconds = connection_seconds
        self._pages = pages
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run_loop, name="certmail-health", daemon=True)
        self._runner: web.AppRunner | None = None

    def start(self) -> str:
        """Begin to listen; gives the address. Raises OSError where it cannot be had."""
        self._thread.start()
        try:
            return self._wait_for(self._listen())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Listen no more; what is being answered is broken off."""
        if not self._thread.is_alive():
            return

        if self._runner is not None:
            self._wait_for(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_SECONDS)

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    def _wait_for(self, what: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(START_SECONDS)

    async def _listen(self) -> str:
        app = web.Application()
        for path, handler in self._pages.items():
            app.router.add_get(path, _answered_by(handler))

        self._runner = _Runner(app, self._connection_seconds)
        await self._runner.setup()
        await web.TCPSite(self._runner, *self._place).start()

        host, port = self._runner.addresses[0][:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _answered_by(handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_: web.Request) -> web.Response:
        page = await handler()
        response = web.Response(
            body=page.body,
            status=page.status,
            headers={"Content-Type": page.content_type, "Cache-Control": "no-store"},
        )

        response.force_close()  # nobody needs it before the next look
        return response

    return answer


class _Runner(web.AppRunner):
    """Serves an application to few at a time, and to nobody for long."""

    __slots__ = ("_seconds",)

    def __init__(self, app: web.Application, seconds: float) -> None:
        super().__init__(app, access_log=None, handle_signals=False, shutdown_timeout=0.5)
        self._seconds = seconds

    async def _make_server(self) -> Server:
        made = await super()._make_server()
        # What it gives to each connection.
        return _Server(made, self._seconds, **made._kwargs)  # noqa: SLF001


class _Server(Server):
    def __init__(self, like: Server, seconds: float, **kwargs: Any) -> None:
        super().__init__(like.request_handler, request_factory=like.request_factory, **kwargs)
        self.seconds = seconds
        self.visitors: dict[_Visitor, None] = {}

    def __call__(self) -> _Visitor:
        return _Visitor(self, loop=self._loop, **self._kwargs)


class _Visitor(RequestHandler):
    __slots__ = ("_timer", "_visited")

    def __init__(self, server: _Server, **kwargs: Any) -> None:
        super().__init__(server, **kwargs)
        self._visited = server
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        visitors = self._visited.visitors
        if len(visitors) >= MAX_CONNECTIONS:
            oldest = next(iter(visitors))
            del visitors[oldest]
            oldest.break_off()

        visitors[self] = None
        self._timer = self._loop.call_later(self._visited.seconds, self.break_off)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._visited.visitors.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def break_off(self) -> None:
        """Let go of a connection, whatever it is at."""
        if self.transport is not None:
            self.transport.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it quotes what was sent
    ) -> web.StreamResponse:
        """Answer what is no request, or what failed.

        Neither log nor answer repeats what was sent.
        """
        if status >= 500:
            log.error("health_request_failed", extra={"error": type(exc).__name__})
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun")
        response = web.Response(status=status)
        response.force_close()
        return response
