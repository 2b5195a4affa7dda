"""How many doorbells may be unanswered: as many as workers have lately answered in part of a second.

A doorbell that is answered too late was rung in vain, and one that is not rung leaves a worker idle.
How fast workers answer is only seen where enough ring, so there is a least number of them
(ledger.delivery), and from there it grows with the answers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

SECONDS: Final = 0.3
"""So much work may wait at the workers: much less than the time for which a doorbell holds."""
MEMORY_SECONDS: Final = 0.5
"""What was answered longer ago counts a third, and so on."""


@dataclass(slots=True)
class Answering:
    """What the pacer has seen of the workers' answers. Times are seconds, on any one clock."""

    per_second: float = 0.0
    _unanswered: int = 0
    _at: float | None = None

    @property
    def may_be_unanswered(self) -> int:
        """How many doorbells may be unanswered by what was seen; 0 where nothing was."""
        return int(self.per_second * SECONDS)

    def saw(self, unanswered: int, rung: int, now: float) -> None:
        """Note a step of the pacer: doorbells are unanswered, so many rung in it among them."""
        if self._at is not None and now > self._at:
            # Doorbells whose leases ended count as answered, but are seldom many.
            answered = max(self._unanswered - (unanswered - rung), 0)
            passed = now - self._at
            kept = math.exp(-passed / MEMORY_SECONDS)
            self.per_second = self.per_second * kept + answered / passed * (1 - kept)

        self._unanswered, self._at = unanswered, now
