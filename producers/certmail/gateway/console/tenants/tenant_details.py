"""One tenant as its page shows it: what waits and until when, its limits, what became of what.

Reading blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from certmail.gateway.console.context import ConsoleContext
from certmail.gateway.console.pages.connection_list import ListedConnection
from certmail.gateway.console.record.filter_form import ListFilter, ListLinks
from certmail.gateway.console.record.tiles import (
    RecentCampaign,
    Tile,
    campaigns_of,
    tiles_of,
)
from certmail.gateway.console.tenants.tenant_list import STATES
from certmail_config.base.errors import SealBroken
from certmail_config.sql import registry
from certmail_config.sql.deliveries import Filter
from certmail_config.sql.history import HistoryEntry, read_history
from certmail_config.sql.record.counts import count_states
from certmail_config.status.lane_status import last_leaves_at, read_lanes, sent_today
from certmail_config.status.lane_waits import Wait, waits
from certmail_config.tenants.domains import domains_of
from certmail_config.tenants.models import Tenant, TenantState
from certmail_config.tenants.pauses import pause_of

CAMPAIGNS: Final = 10
HISTORY: Final = 10


@dataclass(frozen=True, slots=True)
class TenantConnection:
    """A connection of the tenant: what waits in its lane, why, and when the last will have left."""

    line: ListedConnection
    leaves_at: datetime | None
    sent_today: int
    wait: Wait | None


@dataclass(frozen=True, slots=True)
class TenantDetails:
    """A tenant; `reply_to` is whom its mails name for questions, `rule` that for unknown outcomes."""

    tenant: Tenant
    domains: tuple[str, ...]
    reply_to: str
    rule: str
    paused: tuple[str, str] | None
    connections: tuple[TenantConnection, ...]
    tiles: tuple[Tile, ...]
    campaigns: tuple[RecentCampaign, ...]
    history: tuple[HistoryEntry, ...]

    @property
    def shown(self) -> tuple[str, str]:
        """Tone and name of its state."""
        return STATES[TenantState(self.tenant.state)]

    @property
    def waiting(self) -> int:
        """All that wait."""
        return sum(each.line.lane.waiting for each in self.connections)


def read_tenant(context: ConsoleContext, tenant: str) -> TenantDetails:
    """Read a tenant's details; raises Refused, StoresUnreachable, RedisError."""
    admin, redis = context.admin, context.admin.redis
    question = Filter(tenant=tenant)

    with admin.db() as db:
        found = registry.get_tenant(db, tenant)
        connections = registry.list_connections(db, tenant)
        counts = count_states(db, question)
        campaigns = campaigns_of(db, question, CAMPAIGNS)
        history = read_history(db, tenant, limit=HISTORY)

    ids = [each.id for each in connections]
    lanes, standing = read_lanes(redis, ids), waits(redis, ids)
    listed = [
        TenantConnection(
            ListedConnection(each, lane, found.organisation),
            last_leaves_at(redis, each.id),
            sent_today(redis, each.id),
            standing.get(each.id),
        )
        for each, lane in zip(connections, lanes, strict=True)
    ]

    return TenantDetails(
        found,
        tuple(domains_of(found)),
        _reply_to(context, found),
        found.uncertain or "",
        pause_of(redis, tenant),
        tuple(listed),
        tuple(tiles_of(counts, ListLinks(ListFilter(tenant=tenant), ""))),
        campaigns,
        tuple(history),
    )


def _reply_to(context: ConsoleContext, tenant: Tenant) -> str:
    """The address; empty for none, and where the vault cannot open it, which `doctor` says."""
    try:
        return context.admin.reply_to_of(tenant) or ""
    except SealBroken:
        return ""
