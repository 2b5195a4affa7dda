"""How much the pages of templates may be asked for, in this process; belongs to one event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from certmail.gateway.console.sessions.rate import RateLimit

FORMS_PER_MINUTE: Final = 150
"""Of one visit: a preview is two of them, and follows what is typed once a second at most."""
SAMPLES_PER_MINUTE: Final = 10
AT_ONCE: Final = 4
"""Pages that are worked out at the same time, so that threads are left for all else."""
SECONDS_PER_MINUTE: Final = 20.0
"""For which one visit may have pages worked out: what is usual takes less than a fifth of that."""
PATIENCE: Final = 10.0
"""Seconds that one waits for its turn."""


class TemplatesLimits:
    """How often each visit may ask, and turns at working a page out."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._seconds = RateLimit(monotonic, most=SECONDS_PER_MINUTE)
        self._forms = RateLimit(monotonic, most=FORMS_PER_MINUTE)
        self._samples = RateLimit(monotonic, most=SAMPLES_PER_MINUTE)
        self._turns = asyncio.Semaphore(AT_ONCE)

    def count_form(self, visit: str) -> None:
        """Count a form that was sent; raises HTTPTooManyRequests."""
        if not self._forms.allows(visit):
            raise web.HTTPTooManyRequests

    def count_sample(self, visit: str) -> None:
        """Count a sample that is to be sent; raises HTTPTooManyRequests."""
        if not self._samples.allows(visit):
            raise web.HTTPTooManyRequests

    @asynccontextmanager
    async def turn(self, visit: str) -> AsyncIterator[None]:
        """Wait for a turn, and have it; raises HTTPTooManyRequests where none comes, or is left."""
        if not self._seconds.allows(visit, 0):
            raise web.HTTPTooManyRequests

        try:
            async with asyncio.timeout(PATIENCE):
                await self._turns.acquire()
        except TimeoutError:
            raise web.HTTPTooManyRequests from None

        begun = self._monotonic()
        try:
            yield
        finally:
            self._turns.release()
            self._seconds.allows(visit, self._monotonic() - begun)
