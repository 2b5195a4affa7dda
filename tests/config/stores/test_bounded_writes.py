"""A task that talks to Redis ends when it is cancelled, whenever that is.

A server that takes nothing in is a timeout.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, cast

import pytest
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import TimeoutError as RedisTimeoutError

from certmail_config.stores.connect import connect_async


async def test_no_cancellation_is_lost_however_close_to_a_write_it_comes(redis_url: str) -> None:
    async with connect_async(redis_url) as redis:

        async def talk() -> None:
            while True:
                await redis.ping()

        for turns in range(200):
            talking = asyncio.create_task(talk())
            for _ in range(turns % 20):
                await asyncio.sleep(0)
            talking.cancel()
            ended, _ = await asyncio.wait({talking}, timeout=2)
            while not talking.done():
                talking.cancel()
                await asyncio.wait({talking}, timeout=0.1)
            assert ended, f"cancelled after {turns % 20} turns of the loop, it went on"


async def test_a_server_that_takes_nothing_in_is_a_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"redis://127.0.0.1:{server.getsockname()[1]}/0?protocol=2&socket_timeout=0.5&health_check_interval=0"
        async with connect_async(url) as redis:
            redis.connection_pool.connection_kwargs["retry"] = Retry(NoBackoff(), 0)

            async def ask() -> None:
                await cast("Any", redis.set("k", b"x" * 30_000_000))

            asking = asyncio.create_task(ask())
            loop = asyncio.get_running_loop()
            server.setblocking(False)
            accepted, _ = await loop.sock_accept(server)
            with accepted:
                await loop.sock_sendall(accepted, b"+OK\r\n" * 2)  # what the client says of itself
                with pytest.raises(RedisTimeoutError, match="writing"):
                    await asking
