"""Patience with what the storm's own load makes slow.

The storm tries such things again for a while; what is in vain is noted, and the storm goes on.
"""

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
"""The errors of a store, the sandbox or a process that is slow under load.

What else is raised is a mistake of the storm's.
"""


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
