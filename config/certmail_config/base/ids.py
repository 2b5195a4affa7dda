"""Identifiers: UUIDv7, so that ids sort by the time they were made."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from typing import Final, NewType

NAME_PATTERN: Final = r"^[a-z0-9][a-z0-9-]{0,62}$"
"""What names a tenant, or a connection of one."""
JobId = NewType("JobId", str)
ConnectionId = NewType("ConnectionId", str)


def job_id(text: str) -> JobId:
    """The id of a reminder as it is kept, from what somebody typed.

    In capitals, or with spaces around it, it is the same.
    """
    return JobId(text.strip().lower())


def uuid7(now_ms: int, random: Callable[[int], bytes] = os.urandom) -> str:
    """Make a UUIDv7 (RFC 9562 §5.7) from a wall clock in milliseconds and 10 random bytes."""
    tail = int.from_bytes(random(10), "big")
    value = (now_ms & ((1 << 48) - 1)) << 80 | tail
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))
