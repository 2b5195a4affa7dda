"""A change that Google spreads: some of its machines know it, some not yet."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Spreading:
    """How often a change is still missing where a request arrives.

    Attributes:
        refusals: How many requests are still to meet a machine that does not know the change.
        by_turns: They alternate with machines that know it; otherwise nobody knows it until they
            are over.
    """

    refusals: int = 0
    by_turns: bool = False
    _refused: bool = False

    def arrived(self) -> bool:
        """Whether the machine that a request meets knows the change; each call is a request."""
        if self.refusals == 0 or (self.by_turns and self._refused):
            self._refused = False
            return True
        self.refusals -= 1
        self._refused = True
        return False
