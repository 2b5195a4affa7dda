"""`python -m bench.mail.services`: certmail's services without deliveries.

Pacer, reaper and recorder run beside `bench.ready_app`.
"""

from __future__ import annotations

import asyncio
import signal

import uvloop

from certmail_worker.app import app
from certmail_worker.runtime import logs


async def main() -> None:
    """Be the keeper until told to end."""
    logs.set_up("json", process="services")
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await app.life.start(0)  # room for no delivery: the pacer counts only what the worker has
    await ended.wait()
    await app.life.quiet()
    await app.life.stop()


if __name__ == "__main__":
    uvloop.run(main())
