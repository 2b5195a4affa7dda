"""Asyncio connections of redis-py whose writes neither lose a cancellation nor cost a task each.

redis-py bounds each write by `asyncio.wait_for`. On Python 3.11 that loses a cancellation that
arrives just as the write is done (python/cpython#81839), and on every version before 3.12 it makes
a task of each command.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import TimeoutError as RedisTimeoutError


class BoundedWrites(AbstractConnection):
    """A connection of any kind, to be mixed into it.

    The bound of a write is its `socket_timeout`, in seconds, as before.
    """

    async def send_packed_command(
        self, command: bytes | str | Iterable[bytes], check_health: bool = True
    ) -> None:
        """Write one command, or several.

        Raises TimeoutError and ConnectionError of redis-py's, as its own method does.
        """
        # Without a timeout of its own redis-py awaits the write itself, and closes the connection
        # when that is cut off. Connecting calls this again from within: there is no bound then but
        # the outer one.
        bound, self.socket_timeout = self.socket_timeout, None

        try:
            async with asyncio.timeout(bound):
                await super().send_packed_command(command, check_health)
        except TimeoutError:
            raise RedisTimeoutError("Timeout writing to socket") from None
        finally:
            self.socket_timeout = bound


def with_bounded_writes(kind: type[AbstractConnection]) -> type[AbstractConnection]:
    """The same kind of connection (TCP, TLS or a Unix socket) with such writes."""
    return type(f"Bounded{kind.__name__}", (BoundedWrites, kind), {})
