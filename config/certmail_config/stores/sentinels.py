"""Clients of a Redis that sentinels watch: they ask these who is the primary now.

Asked anew for each connection: what the old primary has cut off goes on with the new one, and a
command that it had refused as a replica is made once more there.
"""

from __future__ import annotations

from typing import Any, Final

from redis import Redis, Sentinel
from redis.asyncio import BlockingConnectionPool
from redis.asyncio import Sentinel as AsyncSentinel
from redis.asyncio.connection import parse_url as parse_async_url
from redis.asyncio.sentinel import (
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)
from redis.connection import SSLConnection, parse_url

from certmail_config.settings.sentinel_urls import is_sentinel, split_sentinel_url
from certmail_config.stores.bounded_writes import with_bounded_writes

_PATIENCE: Final = ("socket_timeout", "socket_connect_timeout")
_TLS: Final = "ssl_"


def sentinel_client(url: str, options: dict[str, Any]) -> Redis:
    """A synchronous client of the primary."""
    address = split_sentinel_url(url)
    given = options | dict(parse_url(address.server))  # type: ignore[no-untyped-call]
    tls = given.pop("connection_class", None) is SSLConnection
    given.pop("host")
    asked = _of_sentinels(given, address.sentinel_login, tls=tls)
    sentinels = Sentinel(list(address.sentinels), sentinel_kwargs=asked, **given, ssl=tls)  # type: ignore[no-untyped-call]
    client: Redis = sentinels.master_for(address.master, Redis)  # type: ignore[no-untyped-call]
    return client


class BlockingSentinelPool(SentinelConnectionPool, BlockingConnectionPool):
    """Connections to the primary; whoever finds none free waits for one."""


def sentinel_pool(url: str, options: dict[str, Any]) -> BlockingSentinelPool:
    """As `sentinel_client`, for asyncio clients."""
    address = split_sentinel_url(url)
    given = options | dict(parse_async_url(address.server))
    tls = given.pop("connection_class", None) is not None
    given.pop("host")
    pool_only = {name: given.pop(name) for name in ("max_connections", "timeout") if name in given}
    asked = _of_sentinels(given, address.sentinel_login, tls=tls)
    sentinels = AsyncSentinel(list(address.sentinels), sentinel_kwargs=asked)  # type: ignore[no-untyped-call]
    return BlockingSentinelPool(  # type: ignore[no-untyped-call]
        address.master,
        sentinels,
        connection_class=with_bounded_writes(
            SentinelManagedSSLConnection if tls else SentinelManagedConnection
        ),
        **given,
        **pool_only,
    )


def broker_options(url: str) -> dict[str, Any]:
    """What kombu must be told beside the URL; nothing where no sentinel is named."""
    if not is_sentinel(url):
        return {}
    address = split_sentinel_url(url)
    given = dict(parse_url(address.server))  # type: ignore[no-untyped-call]
    tls = given.get("connection_class") is SSLConnection
    patience = {"socket_timeout": 5, "socket_connect_timeout": 5}
    return {
        "master_name": address.master,
        "sentinel_kwargs": _of_sentinels(given | patience, address.sentinel_login, tls=tls),
    }


def _of_sentinels(given: dict[str, Any], login: dict[str, str], *, tls: bool) -> dict[str, Any]:
    """How the sentinels themselves are spoken to."""
    kept = {
        name: value
        for name, value in given.items()
        if name in _PATIENCE or (tls and name.startswith(_TLS))
    }
    return kept | login | ({"ssl": True} if tls else {})
