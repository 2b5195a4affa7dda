"""An HTTP proxy of the tests' own: CONNECT and nothing else.

With a user and password, over TCP or TLS; it can refuse, or hold back.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

CHUNK: Final = 65536


class Proxy:
    """A proxy that notes what it is asked.

    What it was asked is in `asked`; `refuse` is the status that it answers with, `hold` the seconds
    before it does.
    """

    def __init__(self, user: str, password: str, tls: ssl.SSLContext | None) -> None:
        self.port = 0
        self.asked: list[str] = []
        self.carried = 0
        """How many bytes it has passed on to servers."""
        self.refuse: int | None = None
        self.hold = 0.0
        self._expected = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self._tls = tls
        self._open: set[asyncio.StreamWriter] = set()

    async def serve(self, ready: threading.Event, end: asyncio.Event) -> None:
        """Serve until the end."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await end.wait()

        server.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        for writer in self._open:
            writer.transport.abort()  # no farewell of TLS, which waits for the other side
        await asyncio.gather(
            *(writer.wait_closed() for writer in self._open), return_exceptions=True
        )

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            await self._answer(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # whoever asked went away
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
        sent = next(
            (line[21:] for line in lines if line.lower().startswith("proxy-authorization: ")), ""
        )
        self.asked.append(f"{method} {target}")
        assert "authorization" not in headers, "a token is nothing for a proxy"
        await asyncio.sleep(self.hold)
        status = (
            407 if sent != self._expected else self.refuse or (200 if method == "CONNECT" else 405)
        )

        if status != 200:
            writer.write(f"HTTP/1.1 {status} Refused\r\nContent-Length: 7\r\n\r\nrefused".encode())
            await writer.drain()
            return

        host, _, port = target.rpartition(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        self._open.add(far_writer)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await self._join(reader, writer, far_reader, far_writer)

    async def _join(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        far_reader: asyncio.StreamReader,
        far_writer: asyncio.StreamWriter,
    ) -> None:
        there = asyncio.create_task(self._pump(reader, far_writer, count=True))
        back = asyncio.create_task(self._pump(far_reader, writer))

        try:
            await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            there.cancel()
            back.cancel()
            await asyncio.gather(there, back, return_exceptions=True)
            far_writer.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, count: bool = False
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                self.carried += len(data) if count else 0
                writer.write(data)
                await writer.drain()


@contextmanager
def proxy(user: str, password: str, tls: ssl.SSLContext | None = None) -> Iterator[Proxy]:
    """One for the time of the block; it lives on a thread of its own."""
    made = Proxy(user, password, tls)
    with _serving(made):
        yield made


@contextmanager
def tls_front(upstream: str, tls: ssl.SSLContext) -> Iterator[str]:
    """TLS in front of a server at `host:port`; gives its own `host:port`.

    It lasts as long as the block.
    """
    host, _, port = upstream.rpartition(":")
    made = Front(host, int(port), tls)
    with _serving(made):
        yield f"127.0.0.1:{made.port}"


@contextmanager
def _serving(made: Proxy) -> Iterator[None]:
    ready, end, loop = threading.Event(), asyncio.Event(), asyncio.new_event_loop()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(made.serve(ready, end))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(60), "the proxy has not started"
    try:
        yield
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(60)
        assert not thread.is_alive(), "the proxy has not ended"


class Front(Proxy):
    """Passes everything on to one server."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext) -> None:
        super().__init__("", "", tls)
        self._upstream = host, port

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._upstream)
        self._open.add(far_writer)
        await self._join(reader, writer, far_reader, far_writer)
