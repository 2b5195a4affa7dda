"""Asking a store within a bound: whoever waits for an answer waits so long, and no longer."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class Asking(Generic[T]):
    """One question to a store that may take any time, and is asked once at a time.

    A thread of its own asks it: one that hangs holds up neither the next who wants to know nor the
    process's end. An answer is good for `fresh` seconds.
    """

    def __init__(
        self,
        ask: Callable[[], T],
        *,
        fresh: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._fresh = fresh
        self._monotonic = monotonic
        self._under_way: Future[T] | None = None
        self._known: tuple[float, T] | None = None

    async def answer(self, seconds: float) -> T | None:
        """The answer; None where it does not come in time, or is an error. Belongs to one loop."""
        if self._known is not None and self._monotonic() < self._known[0] + self._fresh:
            return self._known[1]

        future = self._under_way
        if future is None or future.done():
            future = self._under_way = Future()
            threading.Thread(
                target=self._run, args=(future,), name="certmail-asking", daemon=True
            ).start()

        try:
            async with asyncio.timeout(seconds):
                found = await asyncio.shield(asyncio.wrap_future(future))
        # Whatever it was, there is no answer; which store that is the page says.
        except Exception:  # noqa: BLE001
            return None

        self._known = self._monotonic(), found
        return found

    def _run(self, future: Future[T]) -> None:
        try:
            future.set_result(self._ask())
        except BaseException as error:  # noqa: BLE001 - whoever waits is told
            future.set_exception(error)
