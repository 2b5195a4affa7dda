"""How connections stand: whether each works, and whether somebody should look at it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from redis import Redis
from sqlalchemy import Connection as Db

from certmail_config.sql import registry
from certmail_config.status.lane_status import LaneStatus, read_lanes
from certmail_config.tenants.models import Connection, ConnectionState


@dataclass(frozen=True, slots=True)
class ConnectionStanding:
    """A connection with its lane.

    `troubled` also where its lane stands although the connection counts as working; but not where
    something is still missing of what never worked: that is `unfinished`.
    """

    connection: Connection
    lane: LaneStatus

    @property
    def unfinished(self) -> bool:
        """Whether it is being set up, and was seen not to work yet."""
        return self.connection.state is ConnectionState.ATTENTION and not self.has_worked

    @property
    def has_worked(self) -> bool:
        """Whether it ever did."""
        return self.connection.before_it_worked() is None

    @property
    def troubled(self) -> bool:
        """Whether somebody should look at it."""
        if self.connection.state is ConnectionState.ATTENTION:
            return self.has_worked
        return self.connection.state is ConnectionState.ACTIVE and self.lane.stopped

    @property
    def message(self) -> str:
        """Why it does not work."""
        if not (self.troubled or self.unfinished):
            return ""
        return self.connection.message or self.lane.message

    @property
    def remedy(self) -> str:
        """What to do about that."""
        if not (self.troubled or self.unfinished):
            return ""
        probe = f"certmail connections probe {self.connection.id}"
        return self.connection.remedy or self.lane.remedy or probe


def troubled_connections(
    db: Db, redis: Redis, tenants: Collection[str] | None = None
) -> list[ConnectionStanding]:
    """Those that somebody should look at, of these tenants or of all; raises RedisError."""
    connections = [
        each for each in registry.list_connections(db) if tenants is None or each.tenant in tenants
    ]
    lanes = read_lanes(redis, [each.id for each in connections])
    standing = map(ConnectionStanding, connections, lanes)
    return [each for each in standing if each.troubled]
