"""Sending one message to one endpoint: no redirect, no proxy, no cookie, and no way inside.

Every address is looked at twice: all that a name leads to, before one of them is chosen, and each
again when a socket is made for it. An address that stands in the URL is never looked up, so the
second look is the one that counts; it also comes after any answer that DNS may change.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from certmail_config.base.errors import SettingsError
from certmail_config.webhooks.addresses import Allowed, why_refused
from certmail_config.webhooks.schedule import retry_after
from certmail_config.webhooks.targets import host_of

TOTAL_SECONDS: Final = 15.0
"""For everything: looking up, connecting, asking, and reading the answer."""
MAX_ANSWER: Final = 16_384
"""Bytes of an answer that are read; behind them the connection is closed."""
KEEP_SECONDS: Final = 2.0
"""A connection is kept for the next message so long: less than any server keeps one."""
LOOK_UPS: Final = 8
"""Names that are looked up at once, in threads of their own: nobody's slow DNS holds up another's work."""
_USER_AGENT: Final = "certmail"


LookUp = Callable[..., list[Any]]
"""What finds a name's addresses, as `socket.getaddrinfo` does."""


class AddressRefusedError(OSError):
    """Where a connection was about to be made, none may be made."""


@dataclass(frozen=True, slots=True)
class Came:
    """What came back. Without a `status` nothing did, for the reason in `why`, a clause.

    `asked` are the seconds for which it asked to be left alone, `refused` says that nothing was
    sent, since nothing may be sent there.
    """

    status: int | None
    why: str
    seconds: float
    asked: float | None = None
    answer: bytes = b""
    refused: bool = False

    @property
    def taken(self) -> bool:
        """Whether the endpoint has taken the message."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(slots=True)
class _Look:
    """What is known of the request under way when an address of it is looked at."""

    host: str
    plain: bool
    refused: str | None = None


_LOOK: ContextVar[_Look | None] = ContextVar("the request that is under way", default=None)


class Poster:
    """Sends messages from the running loop; made by `poster`."""

    def __init__(self, session: aiohttp.ClientSession, total_seconds: float) -> None:
        self._session = session
        self._total_seconds = total_seconds

    async def post(self, url: str, headers: Mapping[str, str], body: str) -> Came:
        """Send one message once; every way it can end is a value."""
        began, look = time.monotonic(), _Look(host_of(url), url.startswith("http://"))
        under_way = _LOOK.set(look)

        try:
            async with self._session.post(
                URL(url, encoded=True),
                data=body.encode(),
                headers={**headers, "Content-Type": "application/json"},
                allow_redirects=False,
            ) as response:
                asked = retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
                answer = await _read(response)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            took = time.monotonic() - began
            if look.refused is not None:
                return Came(None, look.refused, took, refused=True)
            return Came(None, _why(error, self._total_seconds), took)
        finally:
            _LOOK.reset(under_way)

        took = time.monotonic() - began
        return Came(response.status, _meaning(response.status), took, asked, answer)


@asynccontextmanager
async def poster(
    allowed: Sequence[Allowed] = (),
    ca_file: Path | None = None,
    look_up: LookUp = socket.getaddrinfo,
    total_seconds: float = TOTAL_SECONDS,
) -> AsyncIterator[Poster]:
    """What sends, for as long as it is needed; raises SettingsError."""
    names = ThreadPoolExecutor(LOOK_UPS, thread_name_prefix="webhook-names")
    connector = aiohttp.TCPConnector(
        limit=0,
        keepalive_timeout=KEEP_SECONDS,
        ssl=_tls(ca_file),
        use_dns_cache=False,
        resolver=_Resolver(names, look_up, allowed),
        socket_factory=lambda info: _socket(info, allowed),
    )

    async with aiohttp.ClientSession(
        connector=connector,
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        read_bufsize=MAX_ANSWER,
        timeout=aiohttp.ClientTimeout(total=total_seconds),
        headers={"User-Agent": _USER_AGENT, "Accept-Encoding": "identity"},
    ) as session:
        try:
            yield Poster(session, total_seconds)
        finally:
            names.shutdown(wait=False, cancel_futures=True)


class _Resolver(AbstractResolver):
    """Looks names up, and takes an answer only if each address in it may be sent to."""

    def __init__(
        self, names: ThreadPoolExecutor, look_up: LookUp, allowed: Sequence[Allowed]
    ) -> None:
        self._names = names
        self._look_up = look_up
        self._allowed = allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """All addresses of a name; raises OSError."""
        found = await asyncio.get_running_loop().run_in_executor(
            self._names, self._find, host, port, family
        )
        for each in found:
            _check(each["host"], self._allowed)
        return found

    def _find(self, host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
        infos = self._look_up(host, port, family=family, type=socket.SOCK_STREAM)
        return [
            ResolveResult(
                hostname=host,
                host=_numeric(address),
                port=port,
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, address in infos
        ]

    async def close(self) -> None:
        """Nothing is open."""


def _numeric(address: tuple[Any, ...]) -> str:
    """An address as text; a link-local one of IPv6 names its interface, too."""
    scope = address[3] if len(address) == 4 else 0
    return f"{address[0]}%{scope}" if scope and "%" not in address[0] else str(address[0])


def _socket(info: tuple[Any, ...], allowed: Sequence[Allowed]) -> socket.socket:
    """A socket to connect to an address with, if that may be."""
    family, kind, protocol, _, address = info
    _check(_numeric(address), allowed)
    return socket.socket(family, kind, protocol)


def _check(address: str, allowed: Sequence[Allowed]) -> None:
    look = _LOOK.get()
    why = why_refused(address, allowed, plain=look is None or look.plain)
    if why is None:
        return
    if look is not None:
        look.refused = f"{look.host} leads to {address}, and {why}"
    raise AddressRefusedError(why)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The beginning of an answer's body; whatever becomes of it, the status says what came of it."""
    found = bytearray()
    try:
        async for chunk in response.content.iter_any():
            found += chunk
            if len(found) >= MAX_ANSWER:
                response.close()
                break
    except (TimeoutError, aiohttp.ClientError, OSError):
        response.close()
    return bytes(found[:MAX_ANSWER])


def _meaning(status: int) -> str:
    """What an answer means, as a clause."""
    if 200 <= status < 300:
        return f"it was taken (HTTP {status})"
    if 300 <= status < 400:
        return f"it redirects (HTTP {status}), which is not followed: name the address that it leads to"
    if status == 410:
        return "it wants no more messages (HTTP 410)"
    return f"it answered HTTP {status}"


def _why(error: BaseException, total_seconds: float) -> str:
    """Why nothing came back, as a clause; nothing of the address is repeated."""
    if isinstance(error, TimeoutError):
        return f"no answer within {total_seconds:g} seconds"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        reason = getattr(error.certificate_error, "verify_message", "") or "it is not trusted"
        return f"its certificate is refused: {reason}"
    if isinstance(error, aiohttp.ClientConnectorDNSError | socket.gaierror):
        return "its name leads nowhere"
    if isinstance(error, aiohttp.ClientConnectorError):
        code = error.os_error.errno
        return f"no connection: {os.strerror(code) if code else type(error.os_error).__name__}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "it hung up without an answer"
    if isinstance(error, OSError) and error.errno:
        return f"the connection broke: {os.strerror(error.errno)}"
    return f"the connection broke, or the answer was no HTTP ({type(error).__name__})"


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context()
        if ca_file is not None:
            context.load_verify_locations(cafile=str(ca_file))
    except OSError as error:
        message = f"CERTMAIL_WEBHOOK_CA_FILE={ca_file} cannot be read: {error}"
        raise SettingsError("invalid_settings", message) from None
    return context
