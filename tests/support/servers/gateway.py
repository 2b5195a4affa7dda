"""A gateway in a thread of its own, for clients that are not of asyncio."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from certmail.gateway.app import build
from certmail_config.admin.admin import Admin


@contextmanager
def gateway_of(admin: Admin) -> Iterator[str]:
    """One that serves, and is gone after the block; gives its address."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    found: list[str] = []

    async def serve() -> web.AppRunner:
        runner = web.AppRunner(build(admin))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        found.append(f"http://127.0.0.1:{runner.addresses[0][1]}")
        ready.set()
        return runner

    def run() -> None:
        runner = loop.run_until_complete(serve())
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())

    thread = threading.Thread(target=run)
    thread.start()
    ready.wait()
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
