"""What needs a person, as the page shows it. Reading blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from certmail.gateway.console.context import ConsoleContext
from certmail.gateway.console.pages.connection_list import listing
from certmail.gateway.console.record.delivery_list import seen, sentence
from certmail.gateway.console.sessions.sessions import Visitor
from certmail.gateway.console.texts import N_
from certmail_config.sql.totals import UNCERTAIN_MAX, count_uncertain
from certmail_config.status.ending_certificates import EndingCertificate, ending_certificates
from certmail_config.status.uncertain import open_uncertain

SHOWN: Final = 100
CONNECTIONS: Final = 50
BY_A_PERSON: Final = "a person"
"""As `status/uncertain.py` has it."""
WAITS_FOR: Final = {
    "looking among the sent mails": N_("certmail looks for it among the sent mails"),
    BY_A_PERSON: N_("waits for you"),
    "the rule that sends it again": N_("the tenant’s rule sends it again"),
}


@dataclass(frozen=True, slots=True)
class AttentionScope:
    """Whose: of one tenant, of one campaign, or of all."""

    tenant: str = ""
    campaign: str = ""


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
    """The reminders of unknown outcome; `total` counts those of all, `capped`: there are more."""

    rows: tuple[UncertainReminder, ...]
    more: bool
    total: int
    capped: bool

    @property
    def count(self) -> int:
        """How much there is to do here."""
        return self.total


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
    count: int
    workers: int
    paused: tuple[str, str] | None


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
class AttentionSection:
    """One section of the page: its template, and what it shows."""

    template: str
    found: Any


def _uncertain(context: ConsoleContext, visitor: Visitor, scope: AttentionScope) -> Any:
    tenant, campaign = scope.tenant or None, scope.campaign or None
    with context.admin.db() as db:
        rows = open_uncertain(
            db, context.admin.redis, tenant=tenant, campaign=campaign, limit=SHOWN + 1
        )
        total = sum(count_uncertain(db))

    shown = tuple(_reminder(row, visitor) for row in rows[:SHOWN])
    # The record is a moment behind Redis, which knows better of few.
    total = len(rows) if len(rows) <= SHOWN and scope == AttentionScope() else total
    return UncertainSection(shown, len(rows) > SHOWN, total, total >= UNCERTAIN_MAX)


def _reminder(row: dict[str, Any], visitor: Visitor) -> UncertainReminder:
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
    found = listing(context, scope.tenant)
    troubled = [
        TroubledConnection(
            line.connection.id,
            line.organisation,
            line.connection.name,
            line.connection.mailbox or "",
            line.message,
            line.lane.waiting,
        )
        for line in found.lines
        if line.troubled and scope.tenant in {"", line.connection.tenant}
    ]
    count = len(troubled) if scope.tenant else max(len(troubled), found.counts["bad"])
    return ConnectionSection(tuple(troubled[:CONNECTIONS]), count, found.workers, found.paused)


def _certificates(context: ConsoleContext, _: Visitor, scope: AttentionScope) -> Any:
    now = datetime.now(UTC)
    with context.admin.db() as db:
        found = ending_certificates(db, now, limit=SHOWN)
    of_tenant = (each for each in found if scope.tenant in {"", each.tenant})
    return CertificateSection(tuple(of_tenant), now)


SECTIONS: Final[
    tuple[tuple[str, Callable[[ConsoleContext, Visitor, AttentionScope], Any]], ...]
] = (
    ("_attention_connections.html", _connections),
    ("_attention_uncertain.html", _uncertain),
    ("_attention_certificates.html", _certificates),
)
"""The sections in their order: the template of each, and what reads it.

What is read has a `count`: how much there is to do. A section without any is not shown.
"""


def read_attention(
    context: ConsoleContext, visitor: Visitor, scope: AttentionScope
) -> list[AttentionSection]:
    """Read every section; raises StoresUnreachable, RedisError."""
    return [AttentionSection(name, read(context, visitor, scope)) for name, read in SECTIONS]
