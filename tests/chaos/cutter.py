"""A TCP proxy before Redis that can cut connections, lose answers, and let nothing pass.

It reads nothing of what passes.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

CHUNK: Final = 65536


class Cutter:
    """A proxy from a port of this machine to a Unix socket; it lives on a thread of its own."""

    def __init__(self, upstream: Path) -> None:
        self.port = 0
        self.cuts = 0
        """How many connections were cut."""
        self._upstream = upstream
        self._open: set[asyncio.StreamWriter] = set()
        self._passing = asyncio.Event()
        self._passing.set()
        self._losing = False
        self._loop = asyncio.new_event_loop()

    @property
    def url(self) -> str:
        """Where Redis is for whoever is to feel the cuts."""
        return f"redis://127.0.0.1:{self.port}/0"

    def cut(self) -> None:
        """End all connections now, whatever is under way on them."""
        self._loop.call_soon_threadsafe(self._cut)

    def lose_answers(self) -> None:
        """From now on let commands pass, and end each connection in place of its answer."""
        self._loop.call_soon_threadsafe(setattr, self, "_losing", True)

    def hold(self) -> None:
        """Let nothing pass, in neither direction."""
        self._loop.call_soon_threadsafe(self._passing.clear)

    def mend(self) -> None:
        """Let everything pass again."""
        self._loop.call_soon_threadsafe(setattr, self, "_losing", False)
        self._loop.call_soon_threadsafe(self._passing.set)

    def _cut(self) -> None:
        for writer in self._open:
            self._abort(writer)

    def _abort(self, writer: asyncio.StreamWriter) -> None:
        if not writer.transport.is_closing():
            self.cuts += 1
            writer.transport.abort()

    async def serve(self, ready: threading.Event, end: asyncio.Event) -> None:
        """Pass on until the end."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await end.wait()
        server.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(str(self._upstream))
        except OSError:
            writer.close()
            return

        self._open.add(writer)
        pumps = [
            asyncio.create_task(self._pump(reader, far_writer)),
            asyncio.create_task(self._pump(far_reader, writer, answers=True)),
        ]

        try:
            # Cancelled only at the very end, which asyncio.streams would report as an error.
            with suppress(asyncio.CancelledError):
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            self._open.discard(writer)
            writer.close()
            far_writer.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool = False
    ) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(CHUNK):
                await self._passing.wait()
                if answers and self._losing:
                    self._abort(writer)
                    return
                writer.write(data)
                await writer.drain()


@contextmanager
def cutter(upstream: Path) -> Iterator[Cutter]:
    """A cutter for the time of the block."""
    made, ready, end = Cutter(upstream), threading.Event(), asyncio.Event()
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
