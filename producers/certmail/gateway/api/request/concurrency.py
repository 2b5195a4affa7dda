"""Turns: a limit on how many requests of one API key are carried out at once.

In this process; the others wait a while.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

from certmail.gateway.api.request.problems import ApiProblem

T = TypeVar("T")
R = TypeVar("R")
SLICE_SECONDS: Final = 0.01


@dataclass(slots=True)
class _Place:
    """The turns of one key, and how many of its requests have or want one."""

    turns: asyncio.Semaphore
    present: int = 0


class Turns:
    """The turns of one kind of request, for each API key; belongs to one event loop."""

    def __init__(self, limit: int, *, waiting: int = 8, seconds: float = 10) -> None:
        self._limit = limit
        self._max_present = limit + waiting
        self._seconds = seconds
        self._places: dict[str, _Place] = {}

    @asynccontextmanager
    async def take(self, key: str) -> AsyncIterator[None]:
        """Wait for a turn and have it; raises ApiProblem where too many wait, or none comes."""
        place = self._places.setdefault(key, _Place(asyncio.Semaphore(self._limit)))
        if place.present >= self._max_present:
            raise _busy()

        place.present += 1
        try:
            await self._wait(place)
            try:
                yield
            finally:
                place.turns.release()
        finally:
            place.present -= 1
            if not place.present:
                del self._places[key]

    async def _wait(self, place: _Place) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await place.turns.acquire()
        except TimeoutError:
            raise _busy() from None


async def in_slices(
    items: Iterable[T], work: Callable[[T], R], clock: Callable[[], float] = time.perf_counter
) -> list[R]:
    """Do the work for each, in slices: others wait no longer for the loop than for one of them."""
    done: list[R] = []
    until = clock() + SLICE_SECONDS

    for item in items:
        done.append(work(item))
        if clock() >= until:
            await asyncio.sleep(0)
            until = clock() + SLICE_SECONDS

    return done


def _busy() -> ApiProblem:
    detail = (
        "Too many requests of this API key are under way; "
        "another of this kind is carried out when they are answered."
    )
    return ApiProblem("rate_limited", detail, headers={"Retry-After": "1"})
