"""Workers, each in a place of its own: killed, frozen, and replaced.

That is what a supervisor does, whatever ends them.

On a slow machine a worker may take longer to come up than it has until the next kill: while fewer
than half are up, none is killed, or nothing would be left to be hit.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from chaos.facts import Trouble
from chaos.plan import Kind
from support.processes.halt import Process, freeze, kill, thaw

AGAIN_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 0.5
STOP_SECONDS: Final = 60.0


@dataclass(slots=True)
class Place:
    """A worker, whether it was ever at work, and since when it stands still, if it does."""

    process: Process
    was_up: bool = False
    frozen_at: float | None = None
    again_at: float | None = None


@dataclass(slots=True)
class Fleet:
    """The workers of a storm.

    `start` starts a worker, `up` gives the processes that are at work, None if nobody knows.
    """

    start: Callable[[], Process]
    up: Callable[[], set[int] | None]
    troubles: list[Trouble] = field(default_factory=list)
    refused: int = 0
    """How often one could not start, said so by its exit status, and was started again."""
    _look_at: float = 0.0
    _places: list[Place] = field(default_factory=list)

    def fill(self, count: int) -> None:
        """Start so many."""
        self._places = [Place(self.start()) for _ in range(count)]

    def kill(self, target: int) -> None:
        """End a worker at once, and start another in its place.

        It is rather one that is not frozen: those are to wake again.
        """
        following = (*self._places[target:], *self._places[:target])
        place = next((each for each in following if each.frozen_at is None), following[0])
        up = self.up()
        few = up is not None and 2 * len(up & {each.process.pid for each in self._places}) < len(
            self._places
        )
        if few or place.process.poll() is not None:
            return

        self._thawed(place)
        kill(place.process)
        place.process.wait()
        self._note(Kind.KILL, place, time.time())
        self._put(place)

    def place_of(self, pids: set[int]) -> int | None:
        """Where one of these processes is."""
        return next((n for n, place in enumerate(self._places) if place.process.pid in pids), None)

    def freeze(self, target: int) -> Callable[[], None]:
        """Let a worker stand still; gives what lets it go on, if it is still there."""
        place = self._places[target]
        if place.frozen_at is not None or place.process.poll() is not None:
            return lambda: None
        freeze(place.process)
        place.frozen_at = time.time()
        process = place.process

        def on() -> None:
            if place.process is process and place.frozen_at is not None:
                thaw(process)
                self._thawed(place)

        return on

    def mind(self) -> None:
        """Start again what ended by itself."""
        now = time.time()
        if now >= self._look_at:
            self._look_at, up = now + LOOK_SECONDS, self.up() or set()
            for place in self._places:
                place.was_up |= place.process.pid in up

        for place in self._places:
            if place.again_at is not None:
                if now >= place.again_at:
                    self._put(place)
            elif (status := place.process.poll()) is not None:
                place.again_at = now + AGAIN_SECONDS
                if place.was_up or status == 0:
                    self._note(f"ended with status {status}", place, now)
                else:
                    self.refused += 1

    def _put(self, place: Place) -> None:
        """Start another in its place."""
        place.process, place.was_up, place.again_at = self.start(), False, None

    def thaw(self) -> None:
        """Let all go on."""
        for place in self._places:
            if place.frozen_at is not None:
                thaw(place.process)
                self._thawed(place)

    def end(self) -> None:
        """Tell all to stop, and wait until they have."""
        self.thaw()
        for place in self._places:
            place.process.terminate()

        for place in self._places:
            try:
                place.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                kill(place.process)
                place.process.wait()
                self._note(
                    f"ended only when it was killed, {STOP_SECONDS:g} s after it was told to",
                    place,
                    time.time(),
                )

    def _thawed(self, place: Place) -> None:
        if place.frozen_at is not None:
            self._note(Kind.FREEZE, place, place.frozen_at)
            place.frozen_at = None

    def _note(self, kind: str, place: Place, began: float) -> None:
        self.troubles.append(Trouble(kind, began, time.time(), str(place.process.pid)))
