"""The list of connections: what needs looking at first. Reading blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from certmail.gateway.console import texts
from certmail.gateway.console.context import ConsoleContext
from certmail.gateway.console.state_label import StateLabel
from certmail_config.onboarding.worker_requests import workers_alive
from certmail_config.sql import registry
from certmail_config.status.lane_status import LaneStatus, read_lanes
from certmail_config.tenants.models import Connection, ConnectionState
from certmail_config.tenants.pauses import pause_of

MAX_SHOWN: Final = 200
_ORDER: Final = {state: place for place, state in enumerate(texts.STATES)}


@dataclass(frozen=True, slots=True)
class ListedConnection(StateLabel):
    """A connection in the list.

    `troubled` also where its lane stands although the connection counts as working; but not where
    something is still missing of what never worked: that is `unfinished`.
    """

    connection: Connection
    organisation: str
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
    def shown(self) -> ConnectionState:
        """The state that a page shows."""
        if self.troubled:
            return ConnectionState.ATTENTION
        return ConnectionState.PENDING if self.unfinished else self.connection.state

    @property
    def message(self) -> str:
        """Why it does not work."""
        if not (self.troubled or self.unfinished):
            return ""
        return self.connection.message or self.lane.message


@dataclass(frozen=True, slots=True)
class Listing:
    """All connections, what needs looking at first.

    `left_out` is how many there are beside those that a page holds.
    """

    lines: tuple[ListedConnection, ...]
    counts: Mapping[str, int]
    left_out: int
    workers: int
    paused: tuple[str, str] | None


def listing(context: ConsoleContext, wanted: str) -> Listing:
    """List all connections, or those that have these words in tenant, name or mailbox.

    Raises StoresUnreachable, RedisError.
    """
    with context.admin.db() as db:
        names = {tenant.id: tenant.organisation for tenant in registry.list_tenants(db)}
        connections = registry.list_connections(db)

    lanes = read_lanes(context.admin.redis, [each.id for each in connections])
    lines = [
        ListedConnection(connection, names.get(connection.tenant, connection.tenant), lane)
        for connection, lane in zip(connections, lanes, strict=True)
    ]

    counts = {"bad": 0, "wait": 0, "good": 0, "idle": 0}
    for line in lines:
        counts[line.tone] += 1

    found = sorted((line for line in lines if _matches(line, wanted)), key=_place)
    return Listing(
        tuple(found[:MAX_SHOWN]),
        counts,
        max(0, len(found) - MAX_SHOWN),
        workers_alive(context.admin.redis),
        pause_of(context.admin.redis, ""),
    )


def _matches(line: ListedConnection, wanted: str) -> bool:
    connection = line.connection
    fields = (connection.tenant, connection.name, connection.mailbox or "", line.organisation)
    words = wanted.casefold().split()
    return all(any(word in field.casefold() for field in fields) for word in words)


def _place(line: ListedConnection) -> tuple[int, str, str]:
    return _ORDER[line.shown], line.organisation.casefold(), line.connection.name
