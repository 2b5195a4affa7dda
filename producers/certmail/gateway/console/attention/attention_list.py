"""What needs a person, as the page shows it. Reading blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from certmail.gateway.console.campaigns.campaign_list import path_of
from certmail.gateway.console.context import ConsoleContext
from certmail.gateway.console.record.delivery_list import seen, sentence
from certmail.gateway.console.sessions.sessions import Visitor
from certmail.gateway.console.texts import N_
from certmail.gateway.console.webhooks.webhook_list import troubled_webhooks
from certmail_config.onboarding.worker_requests import workers_alive
from certmail_config.sql import registry
from certmail_config.sql.campaigns.campaigns import KeptCampaign
from certmail_config.status.attention.attention import (
    LISTED,
    AttentionScope,
    open_outcomes,
    unplanned_campaigns,
)
from certmail_config.status.attention.standing import troubled_connections
from certmail_config.status.ending_certificates import EndingCertificate, ending_certificates
from certmail_config.tenants.pauses import pause_of

CONNECTIONS: Final = 50
BY_A_PERSON: Final = "a person"
"""As `status/uncertain.py` has it."""
WAITS_FOR: Final = {
    "looking among the sent mails": N_("certmail looks for it among the sent mails"),
    BY_A_PERSON: N_("waits for you"),
    "the rule that sends it again": N_("the tenant’s rule sends it again"),
}


@dataclass(frozen=True, slots=True)
class UncertainReminder:
    """A reminder of which nobody knows, as somebody may see it."""

    job: str
    tenant: str
    campaign: str
    recipient: str
    mailbox: str
    at: datetime
    why: str
    waits_for: str
    held: bool


@dataclass(frozen=True, slots=True)
class UncertainSection:
    """The reminders of unknown outcome; `count` counts those of all, `capped`: there are more."""

    rows: tuple[UncertainReminder, ...]
    more: bool
    count: int
    capped: bool


@dataclass(frozen=True, slots=True)
class TroubledConnection:
    """A connection that somebody should look at."""

    id: str
    organisation: str
    name: str
    mailbox: str
    message: str
    waiting: int


@dataclass(frozen=True, slots=True)
class ConnectionSection:
    """Connections in trouble, and what stops all of them."""

    rows: tuple[TroubledConnection, ...]
    troubled: int
    workers: int
    paused: tuple[str, str] | None

    @property
    def count(self) -> int:
        """How much there is to do here."""
        return self.troubled + (not self.workers) + (self.paused is not None)


@dataclass(frozen=True, slots=True)
class CertificateSection:
    """Certificates that end, the first to end first."""

    rows: tuple[EndingCertificate, ...]
    now: datetime

    @property
    def count(self) -> int:
        """How much there is to do here."""
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class CampaignSection:
    """Campaigns that cannot be planned, each behind its page; `count` counts those of all."""

    rows: tuple[tuple[str, KeptCampaign], ...]
    count: int


@dataclass(frozen=True, slots=True)
class AttentionSection:
    """One section of the page: its template, and what it shows."""

    template: str
    found: Any


def _uncertain(context: ConsoleContext, visitor: Visitor, scope: AttentionScope) -> Any:
    with context.admin.db() as db:
        found = open_outcomes(db, context.admin.redis, scope, limit=LISTED)
    rows = tuple(_reminder(row, visitor) for row in found.rows)
    return UncertainSection(rows, found.more, found.total, found.capped)


def _reminder(row: Mapping[str, Any], visitor: Visitor) -> UncertainReminder:
    return UncertainReminder(
        job=row["job"],
        tenant=row["tenant"],
        campaign=row["campaign"] or "",
        recipient=seen(row["recipient"] or "", visitor),
        mailbox=row["mailbox"] or "",
        at=row["updated_at"],
        why=sentence(row["reason"], visitor),
        waits_for=WAITS_FOR[row["waits_for"]],
        held=row["waits_for"] == BY_A_PERSON,
    )


def _connections(context: ConsoleContext, _: Visitor, scope: AttentionScope) -> Any:
    admin, tenants = context.admin, scope.tenants
    with admin.db() as db:
        names = {tenant.id: tenant.organisation for tenant in registry.list_tenants(db)}
        found = troubled_connections(db, admin.redis, tenants)

    rows = [
        TroubledConnection(
            each.connection.id,
            names.get(each.connection.tenant, each.connection.tenant),
            each.connection.name,
            each.connection.mailbox or "",
            each.message,
            each.lane.waiting,
        )
        for each in found[:CONNECTIONS]
    ]
    paused = pause_of(admin.redis, scope.only_tenant)
    return ConnectionSection(tuple(rows), len(found), workers_alive(admin.redis), paused)


def _certificates(context: ConsoleContext, _: Visitor, scope: AttentionScope) -> Any:
    now = datetime.now(UTC)
    with context.admin.db() as db:
        found = ending_certificates(db, now, tenants=scope.tenants, limit=LISTED)
    return CertificateSection(tuple(found), now)


def _campaigns(context: ConsoleContext, _: Visitor, scope: AttentionScope) -> Any:
    with context.admin.db() as db:
        found = unplanned_campaigns(db, scope)
    rows = tuple((path_of(*each.key), each) for each in found[:LISTED])
    return CampaignSection(rows, len(found))


def _webhooks(context: ConsoleContext, visitor: Visitor, scope: AttentionScope) -> Any:
    return troubled_webhooks(context, visitor, scope.only_tenant)


SECTIONS: Final[
    tuple[tuple[str, Callable[[ConsoleContext, Visitor, AttentionScope], Any]], ...]
] = (
    ("_attention_connections.html", _connections),
    ("_attention_campaigns.html", _campaigns),
    ("_attention_uncertain.html", _uncertain),
    ("_attention_certificates.html", _certificates),
    ("_attention_webhooks.html", _webhooks),
)
"""The sections in their order: the template of each, and what reads it.

What is read has a `count`: how much there is to do. A section without any is not shown.
"""


def read_attention(
    context: ConsoleContext, visitor: Visitor, scope: AttentionScope
) -> list[AttentionSection]:
    """Read every section; raises StoresUnreachable, RedisError."""
    return [AttentionSection(name, read(context, visitor, scope)) for name, read in SECTIONS]
