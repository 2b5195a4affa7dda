"""The outage of a store, as whoever asks is told of it. Pure.

What it means for them, and nothing of where the store is or as whom we ask it.
"""

from __future__ import annotations

from typing import Final

from certmail_config.base.durability import CODES as DURABILITY_CODES
from certmail_config.base.errors import StoresUnreachable
from certmail_config.stores.capacity import CODES as ROOM_CODES

_AGAIN: Final = "Try again in a moment."
_OURS: Final = ROOM_CODES | DURABILITY_CODES
"""Codes whose messages hold only figures, and what an operator has to do."""


def for_clients(error: StoresUnreachable) -> StoresUnreachable:
    """The same error without what is nobody's business."""
    if error.code in _OURS:
        return error
    if error.code.startswith("database"):
        return StoresUnreachable(error.code, "The record is away.", _AGAIN)
    if error.code.startswith("redis"):
        return StoresUnreachable(error.code, "Redis does not answer at the moment.", _AGAIN)
    return StoresUnreachable(error.code, "A store does not answer.", _AGAIN)
