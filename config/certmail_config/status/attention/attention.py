"""All that needs a person: connections, campaigns, unknown outcomes, webhooks, certificates."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from redis import Redis
from sqlalchemy import Connection as Db

from certmail_config.onboarding.worker_requests import workers_alive
from certmail_config.sql.campaigns.campaigns import KeptCampaign
from certmail_config.sql.campaigns.planning import failing_campaigns
from certmail_config.sql.totals import UNCERTAIN_MAX, count_uncertain
from certmail_config.sql.webhooks.endpoints import Endpoint, list_endpoints
from certmail_config.status.attention.standing import ConnectionStanding, troubled_connections
from certmail_config.status.ending_certificates import EndingCertificate, ending_certificates
from certmail_config.status.uncertain import open_uncertain
from certmail_config.tenants.pauses import pause_of
from certmail_config.webhooks.health import EndpointState

LISTED: Final = 100
"""So many of each are listed, unless somebody asks for more."""
_STOPPED: Final = frozenset({EndpointState.BACKING_OFF, EndpointState.DISABLED})


@dataclass(frozen=True, slots=True)
class AttentionScope:
    """Whose: of some tenants, None for all, and of one campaign, None for all."""

    tenants: frozenset[str] | None = None
    campaign: str | None = None

    @property
    def only_tenant(self) -> str:
        """The tenant, where it is one; else empty."""
        tenants = self.tenants or ()
        return next(iter(tenants)) if len(tenants) == 1 else ""


@dataclass(frozen=True, slots=True)
class OpenOutcomes:
    """Reminders of unknown outcome, the oldest first, and how many there are.

    `capped`: there are at least so many.
    """

    rows: tuple[Mapping[str, Any], ...]
    total: int
    capped: bool

    @property
    def more(self) -> bool:
        """Whether there are more than are listed."""
        return self.total > len(self.rows)


@dataclass(frozen=True, slots=True)
class Attention:
    """What needs a person; `paused` is a sentence and a remedy, None where nothing is.

    No worker at all is one thing more.
    """

    workers: int
    paused: tuple[str, str] | None
    connections: tuple[ConnectionStanding, ...]
    uncertain: OpenOutcomes
    webhooks: tuple[Endpoint, ...]
    certificates: tuple[EndingCertificate, ...]
    campaigns: tuple[KeptCampaign, ...]

    @property
    def calm(self) -> bool:
        """Whether nothing needs anybody."""
        lists = (self.connections, self.webhooks, self.certificates, self.campaigns)
        return (
            not any(lists) and not self.uncertain.total and self.workers > 0 and self.paused is None
        )


def read_attention(
    db: Db, redis: Redis, scope: AttentionScope, now: datetime, *, limit: int = LISTED
) -> Attention:
    """Read it; raises RedisError, and what the database does where it is away."""
    tenants = scope.tenants
    return Attention(
        workers=workers_alive(redis),
        paused=pause_of(redis, scope.only_tenant),
        connections=tuple(troubled_connections(db, redis, tenants)),
        uncertain=open_outcomes(db, redis, scope, limit=limit),
        webhooks=tuple(_stopped_webhooks(db, tenants)),
        certificates=tuple(ending_certificates(db, now, tenants=tenants, limit=limit)),
        campaigns=tuple(unplanned_campaigns(db, scope)),
    )


def open_outcomes(db: Db, redis: Redis, scope: AttentionScope, *, limit: int) -> OpenOutcomes:
    """The reminders of unknown outcome that nobody has decided about; raises RedisError."""
    tenants, campaign = scope.tenants, scope.campaign
    rows = open_uncertain(db, redis, tenants=tenants, campaign=campaign, limit=limit + 1)
    # The record is a moment behind Redis, which knows better of few.
    if len(rows) <= limit:
        return OpenOutcomes(tuple(rows), len(rows), capped=False)

    total = max(len(rows), sum(count_uncertain(db, tenants, campaign)))
    return OpenOutcomes(tuple(rows[:limit]), total, capped=total >= UNCERTAIN_MAX)


def unplanned_campaigns(db: Db, scope: AttentionScope) -> list[KeptCampaign]:
    """Campaigns that could not be planned when it was last tried."""
    return [
        each
        for each in failing_campaigns(db)
        if (scope.tenants is None or each.campaign.tenant in scope.tenants)
        and scope.campaign in {None, each.campaign.id}
    ]


def _stopped_webhooks(db: Db, tenants: Collection[str] | None) -> list[Endpoint]:
    """Those that take no messages, although nobody has paused them."""
    return [
        each
        for each in list_endpoints(db)
        if each.health.state in _STOPPED and (tenants is None or each.tenants <= set(tenants))
    ]
