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
from certmail_config.status.attention.standing import ConnectionStanding
from certmail_config.status.lane_status import read_lanes
from certmail_config.tenants.models import ConnectionState
from certmail_config.tenants.pauses import pause_of

MAX_SHOWN: Final = 200
_ORDER: Final = {state: place for place, state in enumerate(texts.STATES)}


@dataclass(frozen=True, slots=True)
class ListedConnection(ConnectionStanding, StateLabel):
    """A connection in the list."""

    organisation: str

    @property
    def shown(self) -> ConnectionState:
        """The state that a page shows."""
        if self.troubled:
            return ConnectionState.ATTENTION
        return ConnectionState.PENDING if self.unfinished else self.connection.state


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
        ListedConnection(connection, lane, names.get(connection.tenant, connection.tenant))
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
