"""A tenant's summary: its connections, what waits, and what needs somebody's attention."""

from __future__ import annotations

from dataclasses import dataclass

from certmail_config.admin.admin import Admin
from certmail_config.base import redis_keys
from certmail_config.base.errors import SealBroken
from certmail_config.base.redis_answers import fields_of
from certmail_config.ledger.values import split_words
from certmail_config.sql import registry
from certmail_config.status.lane_waits import waits
from certmail_config.status.uncertain import list_uncertain
from certmail_config.tenants.models import Connection, ConnectionState, Tenant
from certmail_config.tenants.pauses import pause_of

MANY = 1_000_000
IT_GOES_ON = "It goes on by itself then."


@dataclass(frozen=True, slots=True)
class AttentionItem:
    """Something that needs attention, and what to do about it."""

    about: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class TenantSummary:
    """A tenant's connections, and what waits or needs attention.

    `connections` has how many reminders of each wait, for their turn or their time; `uncertain`
    counts those of unknown outcome. `reply_to` is whom its mails name for questions.
    """

    tenant: Tenant
    connections: tuple[tuple[Connection, int], ...]
    uncertain: int
    attention: tuple[AttentionItem, ...]
    reply_to: str | None = None

    @property
    def waiting(self) -> int:
        """All that wait."""
        return sum(count for _, count in self.connections)


def summarise(admin: Admin, tenant: str) -> TenantSummary:
    """Look at both stores; raises Refused, RedisError."""
    with admin.db() as db:
        found = registry.get_tenant(db, tenant)
        connections = registry.list_connections(db, tenant)
        uncertain = len(list_uncertain(db, admin.redis, tenant=tenant, campaign=None, limit=MANY))

    counted = tuple((each, _waiting(admin, each)) for each in connections)
    attention = _attention(admin, tenant, connections, uncertain)

    reply_to = None
    try:
        reply_to = admin.reply_to_of(found)
    except SealBroken as broken:
        attention.append(AttentionItem("questions to", broken.message, broken.remedy))

    return TenantSummary(found, counted, uncertain, tuple(attention), reply_to)


def _waiting(admin: Admin, connection: Connection) -> int:
    redis = admin.redis
    return sum(
        int(redis.zcard(index + connection.id)) for index in (redis_keys.LANE, redis_keys.LATER)
    )


def _attention(
    admin: Admin, tenant: str, connections: list[Connection], uncertain: int
) -> list[AttentionItem]:
    paused = pause_of(admin.redis, tenant)

    items = [AttentionItem("tenant", *paused)] if paused else []
    items += [item for each in connections if (item := _of(admin, each))]
    found = waits(admin.redis, [each.id for each in connections])
    items += [
        AttentionItem(each.name, found[each.id].sentence, IT_GOES_ON)
        for each in connections
        if each.id in found
    ]

    if uncertain:
        message = f"Of {uncertain} reminders nobody knows whether Gmail took them."
        items.append(
            AttentionItem("uncertain", message, f"certmail uncertain list --tenant {tenant}")
        )

    return items


def _of(admin: Admin, connection: Connection) -> AttentionItem | None:
    """What delivery has found out about a lane is newer than what SQL knows of its connection."""
    fields = fields_of(admin.redis, redis_keys.LANE_INFO + connection.id, ["state", "message"])
    state, words = ((value or b"").decode() for value in fields)
    probe = f"certmail connections probe {connection.id}"

    if connection.state is ConnectionState.ACTIVE:
        message, remedy = split_words(words)
        then = f"{remedy} Then: {probe}".strip()
        return AttentionItem(connection.name, message, then) if state == "suspended" else None
    _, message = connection.waits_for()
    return AttentionItem(
        connection.name, message, connection.remedy or _next_step(connection, probe)
    )


def _next_step(connection: Connection, probe: str) -> str:
    if connection.state is ConnectionState.DRAFT:
        return f"certmail connections add {connection.tenant} --name {connection.name} --kind …"
    return probe
