"""The check of passwords, off the event loop and few at once.

Each takes 20 MB for as long as it takes, so how many run, and how many wait, has a bound: signing
in cannot be used to exhaust memory, nor the threads that everybody else needs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from aiohttp import web

from certmail_config.operators.passwords import fits, hash_password

T = TypeVar("T")
AT_ONCE: Final = 2
WAITING: Final = 40
"""Who would come after so many is asked to come again: they would wait for seconds."""


class PasswordChecker:
    """Checks and makes hashes of one gateway; belongs to one event loop."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, "certmail-passwords")
        self._under_way = 0

    async def fits(self, password: str, hashed: str | None) -> bool:
        """Whether it is this password; without a hash never. Raises HTTPTooManyRequests."""
        return await self._run(lambda: fits(password, hashed))

    async def hash(self, password: str) -> str:
        """The hash of a password. Raises HTTPTooManyRequests."""
        return await self._run(lambda: hash_password(password))

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, what: Callable[[], T]) -> T:
        if self._under_way >= AT_ONCE + WAITING:
            raise web.HTTPTooManyRequests(headers={"Retry-After": "10"})

        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, what)
        finally:
            self._under_way -= 1
