"""The one HTTP session, and the send window: the last look before the first byte.

Requests are made once: no redirects, and aiohttp re-sends only idempotent methods on a dead
connection (google.md §2.6). Nothing comes from the environment: a proxy is used where one is set,
its CONNECT and the TLS behind it are done before the last look.
"""

from __future__ import annotations

import io
import ssl
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from certmail_config.google import proxy as proxies
from certmail_config.google.http import google_session
from certmail_config.tracing.spans import NO_SPAN, Span
from certmail_worker.google.responses import Answer, Answered, Lost, NotSent, facts

MAX_ANSWER_BYTES = 1_000_000
STREAMED_BYTES = 500_000


def boottime() -> float:
    """Seconds since boot, suspension included.

    The clock that a frozen process or machine cannot stop.
    """
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class WindowMissedError(Exception):
    """Too long since begin: the lease may be another worker's by now."""


@dataclass(slots=True)
class SendWindow:
    """The time in which a request may leave; times are boottime seconds.

    The first byte may leave until `deadline`, and may have left since `opened_at`; `took` is how
    many seconds the rest took.
    """

    deadline: float
    opened_at: float | None = None
    took: float | None = None

    @property
    def open_wire(self) -> bool:
        """Whether a byte may have left."""
        return self.opened_at is not None

    def pass_through(self) -> None:
        """Check the clock when the connection is open and nothing is written yet.

        Raises WindowMissedError.
        """
        now = boottime()
        if now > self.deadline:
            raise WindowMissedError
        self.opened_at = now

    def close(self) -> None:
        """Stop the clock when the answer is there, or given up."""
        if self.opened_at is not None:
            self.took = boottime() - self.opened_at


_WINDOW: ContextVar[SendWindow | None] = ContextVar(
    "send window of the request under way", default=None
)


class Connector(aiohttp.TCPConnector):
    """Gives out a connection only while the send window of the request is open.

    A trace hook that raises would do the same, but aiohttp then forgets the connection without
    closing it.
    """

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own name
    ) -> Connection:
        """Connect, or take a connection that is open; then look at the clock for the last time."""
        connection = await super().connect(req, traces, timeout)
        window = _WINDOW.get()
        if window is None:
            return connection

        try:
            window.pass_through()
        except WindowMissedError:
            # At once, without TLS's farewell: through a proxy that may take as long as it likes.
            transport = connection.transport
            connection.close()
            if transport is not None:
                transport.abort()
            raise

        return connection


class ThroughProxy(Connector):
    """Marks a session whose requests go through a proxy."""


def new_session(
    *,
    ca_file: Path | None,
    timeout_seconds: float,
    on_date: Callable[[str | None], None] | None = None,
    proxy: str | None = None,
) -> aiohttp.ClientSession:
    """Make a session as google_session does, with a connector that keeps to the send window.

    `on_date` is called with each answer's Date.
    """
    return google_session(
        ca_file=ca_file,
        timeout_seconds=timeout_seconds,
        proxy=proxy,
        connector=Connector if proxy is None else ThroughProxy,
        response=aiohttp.ClientResponse if on_date is None else _response_with(on_date),
    )


async def exchange(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    *,
    window: SendWindow | None = None,
    headers: Mapping[str, str] | None = None,
    data: bytes | io.BytesIO | Mapping[str, str] | None = None,
    span: Span = NO_SPAN,
) -> Answer:
    """Make one request; every way it can end is a value.

    Without a window it may be sent at any time. How it ends is told to `span`.
    """
    with span:
        answer = await _exchange(
            session, method, url, window or SendWindow(float("inf")), headers, data
        )
        span.tell(facts(answer))

    return answer


async def _exchange(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    window: SendWindow,
    headers: Mapping[str, str] | None,
    data: bytes | io.BytesIO | Mapping[str, str] | None,
) -> Answer:
    under_way = _WINDOW.set(window)

    try:
        if isinstance(data, bytes) and len(data) > STREAMED_BYTES:
            # Written in pieces, so that one large message does not hold up all others.
            data = io.BytesIO(data)

        async with session.request(
            method, url, headers=headers, data=data, allow_redirects=False
        ) as response:
            return await _read(response)
    except WindowMissedError:
        return NotSent("the process stood still between the record and the request")
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        trouble = None if window.open_wire else _trouble_of_proxy(session, error)
        if trouble is not None:
            return NotSent(trouble.why, trouble.remedy if trouble.refused else "")

        if window.open_wire:
            return Lost(_why(error), waited=isinstance(error, TimeoutError))
        return NotSent(_why(error))
    finally:
        _WINDOW.reset(under_way)
        window.close()


async def _read(response: aiohttp.ClientResponse) -> Answered:
    """The answer with its body, up to MAX_ANSWER_BYTES.

    In pieces: one `read` would give no more than has arrived so far.

    Whatever happens to the body, status and headers say what Google did with the request.
    """
    headers = {name.lower(): value for name, value in response.headers.items()}
    body, broken, waited = bytearray(), "", False

    try:
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) >= MAX_ANSWER_BYTES:
                break
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        broken, waited = _why(error), isinstance(error, TimeoutError)

    return Answered(response.status, headers, bytes(body[:MAX_ANSWER_BYTES]), broken, waited)


def _trouble_of_proxy(
    session: aiohttp.ClientSession, error: Exception
) -> proxies.ProxyTrouble | None:
    """What an error says of the proxy, before anything went through it.

    In words of ours: aiohttp's own would repeat its password.
    """
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return proxies.answered(error.status)
    if not isinstance(session.connector, ThroughProxy):
        return None

    if isinstance(
        error,
        aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError | ssl.SSLError,
    ):
        return proxies.UNTRUSTED
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return proxies.UNREACHABLE
    return proxies.SILENT


def _response_with(on_date: Callable[[str | None], None]) -> type[aiohttp.ClientResponse]:
    """A response that tells of its Date; hooks of aiohttp's tracing cost a request a tenth."""

    class Response(aiohttp.ClientResponse):
        async def start(self, connection: Connection) -> aiohttp.ClientResponse:
            started = await super().start(connection)
            on_date(self.headers.get("Date"))
            return started

    return Response


def _why(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
