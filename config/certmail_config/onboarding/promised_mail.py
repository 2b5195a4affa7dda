"""The test mail that somebody asked for before it could go.

It is remembered for a while, sent once, and then said to be sent.

Google may take a day to spread a delegation; whoever asked has long closed the page. Whoever sends
the mail takes the promise first, so that nobody else does, and gives it back where nothing left.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId
from certmail_config.crypto.strongbox import Strongbox

LIFE: Final = timedelta(hours=25)
"""Delegation may take a day (google.md §4.2)."""


@dataclass(frozen=True, slots=True)
class Promise:
    """Times are seconds since 1970; `sent` is 0 until it has gone."""

    until: float
    sent: float = 0

    @property
    def waits_until(self) -> datetime | None:
        """Until when it waits; None once it has gone."""
        return None if self.sent else datetime.fromtimestamp(self.until, UTC)

    @property
    def sent_at(self) -> datetime | None:
        """When it went."""
        return datetime.fromtimestamp(self.sent, UTC) if self.sent else None


def promise_of(box: Strongbox, connection: ConnectionId) -> Promise | None:
    """What was promised, or kept not long ago; raises RedisError."""
    kept = box.get(redis_keys.TEST_WANTED + connection)
    found = Promise(**kept) if kept is not None else None
    return found if found is not None and time.time() < found.until else None


def take_promise(box: Strongbox, connection: ConnectionId) -> Promise | None:
    """Take what is still to be sent, so that nobody else sends it; raises RedisError."""
    kept = box.take(redis_keys.TEST_WANTED + connection)
    found = Promise(**kept) if kept is not None else None
    if found is None or found.sent or time.time() >= found.until:
        return None
    return found


def promise(box: Strongbox, connection: ConnectionId, taken: Promise | None) -> None:
    """Promise a mail that could not go yet: it will, within the time of the first promise.

    Raises RedisError.
    """
    _put(box, connection, taken or Promise(time.time() + LIFE.total_seconds()))


def keep(box: Strongbox, connection: ConnectionId, taken: Promise) -> None:
    """Note that the mail has gone, later than it was asked for.

    Its page still says so for a while. Raises RedisError.
    """
    _put(
        box,
        connection,
        Promise(max(taken.until, time.time() + LIFE.total_seconds()), sent=time.time()),
    )


def _put(box: Strongbox, connection: ConnectionId, value: Promise) -> None:
    left = max(1, round(value.until - time.time()))
    box.put(redis_keys.TEST_WANTED + connection, asdict(value), seconds=left)
