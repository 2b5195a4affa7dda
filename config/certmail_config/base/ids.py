"""Identifiers: UUIDv7, so that ids sort by the time they were made."""

from __future__ import annotations

import os
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
    # Written at once: by way of uuid.UUID it takes four times as long, for each reminder.
    time = f"{now_ms & ((1 << 48) - 1):012x}"
    tail = random(10).hex()
    variant = "89ab"[int(tail[4], 16) & 0x3]
    return f"{time[:8]}-{time[8:]}-7{tail[1:4]}-{variant}{tail[5:8]}-{tail[8:]}"
