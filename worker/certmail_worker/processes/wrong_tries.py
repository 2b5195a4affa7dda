"""Limits how often somebody may try a password in vain.

Pure but for its memory, which is one process's.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

SECONDS: Final = 60.0
MAX_OF_ONE: Final = 10
MAX_OF_ALL: Final = 60
"""In so many seconds; of everybody together, since addresses are cheap.

Whoever waits has the next tries.
"""


@dataclass(slots=True)
class WrongTries:
    """The wrong tries of the last minute: when, and from which address."""

    _tries: deque[tuple[float, str]] = field(default_factory=deque)

    def wait(self, address: str, now: float) -> float:
        """For how many seconds this address may not try again; 0 if it may."""
        while self._tries and self._tries[0][0] <= now - SECONDS:
            self._tries.popleft()
        own = [at for at, who in self._tries if who == address]
        if len(own) >= MAX_OF_ONE:
            return own[-MAX_OF_ONE] + SECONDS - now
        return (
            self._tries[-MAX_OF_ALL][0] + SECONDS - now if len(self._tries) >= MAX_OF_ALL else 0.0
        )

    def note(self, address: str, now: float) -> None:
        """It was wrong."""
        self._tries.append((now, address))
