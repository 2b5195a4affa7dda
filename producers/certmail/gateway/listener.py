"""The gateway's listener: how many connections there are, and how long each may take.

It is aiohttp's server with bounds.

A connection costs a descriptor and some memory before anybody knows whose it is. So there is a
bound for each address and one for all; where it is reached, whoever has asked nothing yet makes
room for who comes, then whoever rests between two requests.
"""

from __future__ import annotations

import asyncio
import logging
import resource
from dataclasses import dataclass
from typing import Any, Final, cast

from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_server import Server

from certmail.gateway.api.request.problems import ApiProblem
from certmail.gateway.headers import complete, protective
from certmail.gateway.peers import Proxies, network_of
from certmail.gateway.request_ids import HEADER, request_id
from certmail_config.settings import Settings

log = logging.getLogger(__name__)

HEAD_SECONDS: Final = 10.0
"""How long the head of a request may take, from the connection or from its first byte."""
ANSWER_SECONDS: Final = 180.0
"""How long a request may take from its head to the last byte of the answer.

Google is asked for some.
"""
REST_SECONDS: Final = 75.0
"""How long a connection may rest between two requests; proxies let go after 60."""
_DESCRIPTORS: Final = 65_536
_OTHERS: Final = 256
"""Descriptors that are left for stores, files, and connections not yet looked at."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many connections there may be, and how long they may take, in seconds."""

    in_all: int
    per_address: int
    proxies: Proxies
    head: float = HEAD_SECONDS
    answer: float = ANSWER_SECONDS

    @classmethod
    def of(cls, settings: Settings, descriptors: int) -> Bounds:
        """As settings say, if the process may have so many descriptors."""
        possible = max(descriptors // 2, descriptors - _OTHERS)
        return cls(
            in_all=min(settings.gateway_connections, possible),
            per_address=min(settings.gateway_connections_per_address, possible),
            proxies=Proxies.of(settings.trusted_proxies),
        )


class BoundedServer(Server):
    """A server that bounds its connections: in all, and of one address.

    Belongs to one event loop.
    """

    def __init__(self, like: Server, bounds: Bounds, base: str, **kwargs: Any) -> None:
        super().__init__(like.request_handler, request_factory=like.request_factory, **kwargs)
        self.bounds = bounds
        self.headers = protective(secure=base.startswith("https://"))
        self.base = base
        self._peers: dict[Peer, str] = {}
        self._by_address: dict[str, dict[Peer, None]] = {}

    @property
    def open_connections(self) -> int:
        """How many there are."""
        return len(self._peers)

    def __call__(self) -> Peer:
        """Make the protocol that serves the next connection."""
        return Peer(self, loop=self._loop, **self._kwargs)

    def let_in(self, peer: Peer, address: str) -> bool:
        """Whether a connection may stay; others may have to go for it."""
        one = network_of(address)
        of_address = self._by_address.get(one, {})
        crowded = len(of_address) >= self.bounds.per_address

        if (
            crowded
            and not self.bounds.proxies.trust(address)
            and not self._send_one_away(of_address)
        ):
            return False
        if len(self._peers) >= self.bounds.in_all and not self._send_one_away(self._peers):
            return False

        self._peers[peer] = one
        self._by_address.setdefault(one, {})[peer] = None
        return True

    def forget(self, peer: Peer) -> None:
        """Count a connection no longer: it is gone, or goes."""
        one = self._peers.pop(peer, None)
        if one is None:
            return

        of_address = self._by_address[one]
        del of_address[peer]
        if not of_address:
            del self._by_address[one]

    def _send_one_away(self, peers: dict[Peer, Any]) -> bool:
        """Close the oldest of those that asked nothing yet, or else of those that rest.

        Returns whether there was one.
        """
        chosen = next((peer for peer in peers if peer.silent), None) or next(
            (peer for peer in peers if peer.resting), None
        )
        if chosen is None:
            return False

        self.forget(chosen)
        chosen.force_close()
        return True


class Peer(RequestHandler):
    """One connection."""

    __slots__ = ("_in_head", "_server", "_timer")

    def __init__(self, doors: BoundedServer, **kwargs: Any) -> None:
        super().__init__(doors, **kwargs)
        self._server = doors
        self._timer: asyncio.TimerHandle | None = None
        self._in_head = False

    @property
    def silent(self) -> bool:
        """Whether nothing was asked yet."""
        return not self._request_count

    @property
    def resting(self) -> bool:
        """Whether nothing is asked just now."""
        return self._waiter is not None and not self._waiter.done()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let the connection in, or refuse it."""
        super().connection_made(transport)
        name = transport.get_extra_info("peername")
        address = name[0] if isinstance(name, tuple) else ""
        if self._server.let_in(self, address):
            self._allow(self._server.bounds.head, head=True)
            return

        log.warning("connection_refused")
        cast("asyncio.Transport", transport).write(_refusal(self._server.headers))
        self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Count the connection no longer."""
        self._server.forget(self)
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what comes, and time it: a head from its first byte, a request from its head."""
        asked, rested = self._request_count, self.resting
        super().data_received(data)

        if self._request_count > asked:
            self._allow(self._server.bounds.answer, head=False)
        elif rested and data and not self._in_head:
            self._allow(self._server.bounds.head, head=True)

    def answer_goes_on(self) -> None:
        """Give the answer as much time again: something of it was taken."""
        self._allow(self._server.bounds.answer, head=False)

    def _allow(self, seconds: float, *, head: bool) -> None:
        if self._timer is not None:
            self._timer.cancel()

        self._in_head = head
        self._timer = self._loop.call_later(seconds, self._time_is_up)

    def _time_is_up(self) -> None:
        """Close the connection, unless it rests and owes nothing."""
        if self._in_head:
            self.force_close()
        elif not self.resting and self.transport is not None:
            self.transport.abort()  # whoever does not read would be waited for

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it quotes what was sent
    ) -> web.StreamResponse:
        """Answer what is no request, or what failed unforeseen.

        Neither log nor answer repeats what was sent.
        """
        if status >= 500:
            log.error("request_failed", exc_info=exc, extra={"request": request_id(request)})
            problem = ApiProblem("internal_error", "The request could not be carried out.")
        else:
            log.warning(
                "bad_request", extra={"error": type(exc).__name__, "request": request_id(request)}
            )
            problem = ApiProblem("bad_request", "The request is not one that HTTP allows.")

        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun")

        response = web.Response(
            text=problem.document(self._server.base).model_dump_json(),
            status=problem.kind.status,
            content_type="application/problem+json",
        )
        complete(response, self._server.headers | {HEADER: request_id(request)})
        response.force_close()

        return response


class Runner(web.AppRunner):
    """Serves an application with bounds on its connections."""

    __slots__ = ("_base", "_bounds")

    def __init__(self, app: web.Application, bounds: Bounds, base: str) -> None:
        # No access log: a callback's query holds a code. Bodies are taken as they come: whoever
        # compresses one is told not to.
        super().__init__(
            app, access_log=None, keepalive_timeout=REST_SECONDS, auto_decompress=False
        )
        self._bounds = bounds
        self._base = base

    async def _make_server(self) -> Server:
        made = await super()._make_server()
        # What it gives to each connection.
        return BoundedServer(made, self._bounds, self._base, **made._kwargs)  # noqa: SLF001


def allow_descriptors() -> int:
    """Let this process have as many descriptors as it may; returns how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return wanted if soft == resource.RLIM_INFINITY else soft


def _refusal(headers: dict[str, str]) -> bytes:
    given = headers | {
        "Retry-After": "5",
        "Connection": "close",
        "Content-Length": "0",
        "Server": "certmail",
    }

    lines = [
        "HTTP/1.1 503 Service Unavailable",
        *(f"{name}: {value}" for name, value in given.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()
