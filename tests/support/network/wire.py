"""A wire between a process and a server, which can be held at one chosen piece.

Start reading here: `frames.py` cuts what goes over it into pieces, and `proxy.py` is an HTTP proxy.

A trap holds its piece before the server sees it (`UNSEEN`), or the answer before the process sees
it (`UNANSWERED`). What the trap then does to the process is done before anything else flows, so
that the process is stopped exactly there.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from support.network.frames import Frame, Framing

Words = tuple[bytes, ...]
CHUNK: Final = 65536


class Side(StrEnum):
    """Where a piece is held."""

    UNSEEN = "unseen"
    """The server has not seen it."""
    UNANSWERED = "unanswered"
    """The server has done it; the process has no answer."""


@dataclass(slots=True)
class Trap:
    """Springs once, at the first piece that fits; `act` runs while nothing flows."""

    fits: Callable[[Words], bool]
    side: Side
    act: Callable[[], None]
    sprung: threading.Event = field(default_factory=threading.Event)


class Wire:
    """A port of this machine that passes everything on to a server.

    The server is `host:port`, or a Unix socket's path.
    """

    def __init__(self, upstream: str, framing: Callable[[], Framing]) -> None:
        self.port = 0
        self.sent: Counter[bytes] = Counter()
        """How many pieces with this first word the process has sent."""
        self.passed: Counter[bytes] = Counter()
        """How many of them were passed on to the server."""
        self._upstream = upstream
        self._framing = framing
        self._trap: Trap | None = None
        self._released = asyncio.Event()
        self._pumps: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()

    def arm(self, trap: Trap) -> Trap:
        """Set a trap; one at a time."""
        assert self._trap is None
        self._trap = trap
        return trap

    def release(self) -> None:
        """Let what was held go on its way."""
        self._loop.call_soon_threadsafe(self._released.set)

    async def serve(self, ready: threading.Event, end: asyncio.Event) -> None:
        """Pass on until the end."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await end.wait()

        server.close()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(
            *(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True
        )

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await self._open()
        except OSError:
            writer.close()
            return

        awaited: list[Trap] = []
        pumps = {
            asyncio.create_task(self._to_server(reader, far_writer, awaited)),
            asyncio.create_task(self._to_process(far_reader, writer, awaited)),
        }
        self._pumps |= pumps
        _, rest = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in rest:
            pump.cancel()
        await asyncio.wait(pumps)
        self._pumps -= pumps
        writer.close()
        far_writer.close()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._upstream.startswith("/"):
            return await asyncio.open_unix_connection(self._upstream)
        host, _, port = self._upstream.rpartition(":")
        return await asyncio.open_connection(host, int(port))

    async def _to_server(
        self, reader: asyncio.StreamReader, server: asyncio.StreamWriter, awaited: list[Trap]
    ) -> None:
        framing = self._framing()

        with suppress(ConnectionError):
            while data := await reader.read(CHUNK):
                for frame in framing.feed(data):
                    word = frame.words[0] if frame.words else b""
                    self.sent[word] += 1
                    trap = self._sprung_by(frame)
                    if trap is not None and trap.side is Side.UNSEEN:
                        await self._hold(trap)
                    elif trap is not None:
                        awaited.append(trap)
                    self.passed[word] += 1
                    server.write(frame.raw)

                await server.drain()

    async def _to_process(
        self, reader: asyncio.StreamReader, process: asyncio.StreamWriter, awaited: list[Trap]
    ) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(CHUNK):
                if awaited:
                    trap = awaited.pop()
                    # The server has done nothing then; it will be asked again.
                    if data.startswith(b"-NOSCRIPT"):
                        self.arm(trap)
                    else:
                        await self._hold(trap)
                process.write(data)
                await process.drain()

    def _sprung_by(self, frame: Frame) -> Trap | None:
        trap = self._trap
        if trap is None or not frame.words or not trap.fits(frame.words):
            return None
        self._trap = None
        return trap

    async def _hold(self, trap: Trap) -> None:
        trap.act()  # blocks all that goes over this wire, on purpose
        trap.sprung.set()
        await self._released.wait()


@contextmanager
def wire(upstream: str, framing: Callable[[], Framing]) -> Iterator[Wire]:
    """A wire for the time of the block; it lives on a thread of its own."""
    made, ready, end = Wire(upstream, framing), threading.Event(), asyncio.Event()
    loop = made._loop
    thread = threading.Thread(
        target=lambda: loop.run_until_complete(made.serve(ready, end)), daemon=True
    )
    thread.start()
    assert ready.wait(10)

    try:
        yield made
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(10)
        loop.close()
