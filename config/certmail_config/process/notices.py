"""What a process tells the service manager in the course of its life, from its own event loop.

A loop that is blocked tells nothing: so the service manager starts the process again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from certmail_config.process.service_manager import ALIVE, READY, STOPPING, ServiceManager

LOOK_SECONDS: Final = 1.0
"""How often it is looked whether the process is ready, until it is."""
PATIENCE_SECONDS: Final = 60.0
"""How much more time to start is asked for, as long as it waits for what others must do."""


class Notices:
    """One process's.

    `why_not_ready` gives what it waits for, `why_not_alive` why it had better be started again;
    both give None where there is nothing of the kind.
    """

    def __init__(
        self,
        manager: ServiceManager,
        why_not_ready: Callable[[], Awaitable[str | None]],
        why_not_alive: Callable[[], Awaitable[str | None]],
    ) -> None:
        self._manager = manager
        self._why_not_ready = why_not_ready
        self._why_not_alive = why_not_alive
        self._stops = False
        self._telling: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to tell; belongs to the running loop."""
        if self._manager.listens:
            self._telling = asyncio.create_task(self._tell())

    def stops(self) -> None:
        """The process ends when what is under way has ended."""
        if not self._stops:
            self._stops = True
            status = self._manager.status("Finishing what is under way.")
            self._manager.tell(STOPPING, status)

    async def end(self) -> None:
        """Tell nothing more."""
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)

    async def _tell(self) -> None:
        manager = self._manager

        while not self._stops:
            why = await self._why_not_ready()
            if why is None:
                if manager.tell(READY, manager.status("Ready."), ALIVE):
                    break
            else:
                # It may wait for long, and by right: for a store, or for somebody's repair.
                manager.tell(manager.more_time(PATIENCE_SECONDS), manager.status(why), ALIVE)
            await asyncio.sleep(LOOK_SECONDS)

        while (watched := manager.watchdog_seconds) is not None:
            if await self._why_not_alive() is None:
                manager.tell(ALIVE)
            await asyncio.sleep(watched / 3)
