"""The list of tenants: what waits for each, and which need somebody. Reading blocks."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from certmail.gateway.console.context import ConsoleContext
from certmail.gateway.console.texts import N_
from certmail_config.sql import registry
from certmail_config.status.lane_status import LaneStatus, read_lanes
from certmail_config.tenants.models import Tenant, TenantState

MAX_SHOWN: Final = 200
STATES: Final = {
    TenantState.ACTIVE: ("good", N_("Active")),
    TenantState.PAUSED: ("wait", N_("Paused")),
    TenantState.SUSPENDED: ("idle", N_("Suspended")),
}
"""Tone and name of each state of a tenant."""
STOPPED: Final = ("bad", N_("A mailbox is stopped"))


@dataclass(frozen=True, slots=True)
class ListedTenant:
    """A tenant in the list."""

    tenant: Tenant
    connections: int
    waiting: int
    stopped: bool

    @property
    def shown(self) -> tuple[str, str]:
        """Tone and name of how it is."""
        active = self.tenant.state == TenantState.ACTIVE
        return STOPPED if active and self.stopped else STATES[TenantState(self.tenant.state)]


@dataclass(frozen=True, slots=True)
class TenantListing:
    """Some tenants by name; `left_out` is how many more there are."""

    lines: tuple[ListedTenant, ...]
    left_out: int


def list_tenants(context: ConsoleContext, wanted: str) -> TenantListing:
    """All tenants, or those that have these words in id or name; raises StoresUnreachable."""
    with context.admin.db() as db:
        tenants = registry.list_tenants(db)
        found = sorted(
            (each for each in tenants if _matches(each, wanted)),
            key=lambda each: (each.organisation.casefold(), each.id),
        )
        shown = {each.id for each in found[:MAX_SHOWN]}
        named = [each for each in registry.named_connections(db) if each.tenant in shown]

    lanes: defaultdict[str, list[LaneStatus]] = defaultdict(list)
    statuses = read_lanes(context.admin.redis, [each.id for each in named])
    for each, lane in zip(named, statuses, strict=True):
        lanes[each.tenant].append(lane)

    lines = [_line(each, lanes[each.id]) for each in found[:MAX_SHOWN]]
    return TenantListing(tuple(lines), max(0, len(found) - MAX_SHOWN))


def _line(tenant: Tenant, lanes: list[LaneStatus]) -> ListedTenant:
    waiting = sum(lane.waiting for lane in lanes)
    # A mailbox that is not set up yet stands, too; it matters where something waits for it.
    stopped = any(lane.stopped and lane.waiting for lane in lanes)
    return ListedTenant(tenant, len(lanes), waiting, stopped)


def _matches(tenant: Tenant, wanted: str) -> bool:
    fields = (tenant.id, tenant.organisation.casefold())
    return all(any(word in each for each in fields) for word in wanted.casefold().split())
