"""What is on record of a tenant's templates, as the pages show it. Reading blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from certmail.gateway.console.context import ConsoleContext
from certmail.gateway.console.sessions.sessions import Visitor
from certmail_config.admin.templates.publishing import TemplatesState, templates_of
from certmail_config.base.errors import Refused
from certmail_config.compose.samples import SampleSender
from certmail_config.sql import registry
from certmail_config.sql.templates.versions import list_versions
from certmail_config.templates.differences import Difference, differences
from certmail_config.templates.documents import Document
from certmail_config.tenants.models import DEFAULT_NAME, Connection, ConnectionState, Tenant
from certmail_config.tenants.sealed_fields import open_from

SHOWN_VERSIONS = 10


@dataclass(frozen=True, slots=True)
class TenantFacts:
    """A tenant, what it has published, and the mailboxes that a sample could leave by."""

    tenant: Tenant
    state: TemplatesState
    versions: Sequence[tuple[int, datetime, str]]
    connections: Sequence[Connection]
    sender: SampleSender

    @property
    def document(self) -> Document:
        """What is published."""
        return self.state.document

    @property
    def kept(self) -> Mapping[str, Sequence[str]]:
        """Certmail's own words when it was published."""
        return self.state.published.own_words if self.state.published else {}

    @property
    def differences(self) -> list[Difference]:
        """Its words beside certmail's."""
        return list(differences(self.document, self.kept))

    @property
    def written(self) -> Mapping[str, Mapping[str, int]]:
        """How many blocks it has written itself, by locale and kind."""
        return {
            locale: {kind: len(blocks) for kind, blocks in kinds.items()}
            for locale, kinds in sorted(self.document.texts.items())
        }

    def suspended(self, place: str) -> str:
        """Why what stands there was put aside; empty where it was not."""
        return next(
            (why for name, why in self.state.off.items() if name.lower() == place.lower()), ""
        )


def read_facts(context: ConsoleContext, visitor: Visitor, tenant: str) -> TenantFacts:
    """Read them; raises Refused for a tenant that is none of the visitor's, as if there were none.

    Raises StoresUnreachable, RedisError, SealBroken.
    """
    if not visitor.may_read_templates(tenant):
        raise Refused("unknown_tenant", f"There is no tenant {tenant!r}.", "Check the address.")

    state = templates_of(context.admin, tenant)
    with context.admin.db() as db:
        found = registry.get_tenant(db, tenant)
        versions = list_versions(db, tenant)[:SHOWN_VERSIONS]
        connections = [each for each in registry.list_connections(db, tenant) if _sends(each)]

    connections.sort(key=lambda each: (each.name != DEFAULT_NAME, each.name))
    sealed = found.reply_to
    opened = open_from(context.admin.vault, sealed, tenant, "reply_to") if sealed else b""
    # Of a tenant without a mailbox that works the previews are from one that there is not.
    mailbox = (connections[0].mailbox if connections else None) or f"reviews@{tenant}.example"
    sender = SampleSender(found.organisation, mailbox, opened.decode())
    return TenantFacts(found, state, versions, connections, sender)


def _sends(connection: Connection) -> bool:
    return connection.state is ConnectionState.ACTIVE and connection.mailbox is not None
