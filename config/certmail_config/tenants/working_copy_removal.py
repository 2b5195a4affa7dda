"""Taking tenants and connections out of the working copy in Redis.

Each step may be made again.
"""

from __future__ import annotations

from collections.abc import Collection

from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId
from certmail_config.base.redis_answers import fields_of, hash_of, members_of
from certmail_config.ledger import remove_lane, run
from certmail_config.tenants.models import Connection


def hide_connection(redis: Redis, tenant: str, name: str, connection: ConnectionId) -> None:
    """Let producers find a connection by its name no more; raises RedisError."""
    key, field = redis_keys.TENANT + tenant, f"connection:{name}"
    if redis.hget(key, field) == connection.encode():
        redis.hdel(key, field)


def forget_connection(redis: Redis, tenant: str, name: str, connection: ConnectionId) -> None:
    """Remove a connection, whatever waits for it: that ends as failed when its turn comes.

    Raises RedisError.
    """
    set_up = (
        redis_keys.CLIENT_ID,
        redis_keys.TEST_WANTED,
        redis_keys.MAIL_TAKEN,
        redis_keys.DELEGATION,
    )

    redis.delete(redis_keys.CONNECTION + connection, *(prefix + connection for prefix in set_up))
    for notes in (redis_keys.GRANTED, redis_keys.WARNED):
        redis.hdel(notes, connection)
    hide_connection(redis, tenant, name, connection)
    run(redis, remove_lane(connection))


def withdraw_tenant(redis: Redis, tenant: str) -> None:
    """Remove a tenant, with the private half of its key and its set-up link; raises RedisError."""
    redis.srem(redis_keys.TENANTS, tenant)
    kept = (redis_keys.TENANT, redis_keys.SETUP, redis_keys.TAKEN, redis_keys.TEMPLATES)
    redis.delete(*(prefix + tenant for prefix in kept))


def known_in(redis: Redis) -> tuple[set[str], set[ConnectionId]]:
    """The tenants and connections that the working copy has; raises RedisError."""
    tenants = {name.decode() for name in members_of(redis, redis_keys.TENANTS)}
    prefix = redis_keys.CONNECTION
    found = redis.scan_iter(prefix + "*", count=1000)
    return tenants, {ConnectionId(key.decode().removeprefix(prefix)) for key in found}


def withdraw_others(
    redis: Redis,
    known: tuple[set[str], set[ConnectionId]],
    tenants: Collection[str],
    connections: Collection[Connection],
) -> None:
    """Remove what a server that came back from an older copy still has, and what was removed since.

    `known` must have been read before the tenants and connections that there are: what is added
    comes there first. Raises RedisError.
    """
    for connection in known[1] - {each.id for each in connections}:
        [found] = fields_of(redis, redis_keys.CONNECTION + connection, ["tenant"])
        tenant = (found or b"").decode()
        names = hash_of(redis, redis_keys.TENANT + tenant)
        called = [name.decode() for name, id_ in names.items() if id_ == connection.encode()]
        forget_connection(redis, tenant, "".join(called).removeprefix("connection:"), connection)

    for tenant_id in known[0] - set(tenants):
        withdraw_tenant(redis, tenant_id)
