"""What a storm does itself under its own load: tried again for a while, and if it is in vain, noted instead of ending the storm."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from collections.abc import Callable
from typing import Final, TypeVar

import requests
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

T = TypeVar("T")

BUSY: Final = (
    sqlite3.Error,
    SQLAlchemyError,
    RedisError,
    requests.RequestException,
    OSError,
    subprocess.TimeoutExpired,
    AssertionError,
)
"""What a store, the sandbox or a process that is slow under load makes of a question; what else is raised is a mistake of the storm's."""


def patiently(ask: Callable[[], T], *, seconds: float = 60.0, pause: float = 0.5) -> T:
    """Ask until there is an answer, for so many seconds; raises the last error then."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except BUSY:
            if time.monotonic() > deadline:
                raise
            time.sleep(pause)
