"""The list of webhooks, and those that are in trouble. Reading blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from sqlalchemy import Connection as Db

from certmail.gateway.console.context import ConsoleContext
from certmail.gateway.console.sessions.sessions import Visitor
from certmail.gateway.console.tenant_lookup import first_tenants
from certmail.gateway.console.webhooks.words import STATES
from certmail_config.sql.webhooks.endpoints import Endpoint, list_endpoints
from certmail_config.sql.webhooks.messages import count_waiting
from certmail_config.webhooks.health import EndpointState
from certmail_config.webhooks.targets import host_of

PATH: Final = "/console/webhooks"
PAGE: Final = 50
SUGGESTED: Final = 200
"""So many tenants are offered to whoever types one."""
MOST: Final = 100
"""So many waiting messages of an endpoint are counted: a list takes no longer the more there are."""
TROUBLED: Final = frozenset({EndpointState.BACKING_OFF, EndpointState.DISABLED})
"""The states in which somebody has to see to the receiver; who pauses one knows it."""


@dataclass(frozen=True, slots=True)
class ListedWebhook:
    """An endpoint in a list, its address as somebody may see it, and how many messages wait."""

    endpoint: Endpoint
    url: str
    waiting: int

    @property
    def shown(self) -> tuple[str, str]:
        """Tone and name of its state."""
        return STATES[self.endpoint.health.state]

    @property
    def more(self) -> bool:
        """Whether more may wait than were counted."""
        return self.waiting == MOST

    @property
    def title(self) -> str:
        """What it is called; its host, where nobody has given it a name."""
        return self.endpoint.name or host_of(self.endpoint.url)


@dataclass(frozen=True, slots=True)
class WebhookListing:
    """Some endpoints in the order in which they were made; `following` is where the next are."""

    lines: tuple[ListedWebhook, ...]
    tenant: str
    first: bool
    following: str
    tenants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WebhookSection:
    """Endpoints that back off or are disabled; `more`: there are others."""

    rows: tuple[ListedWebhook, ...]
    more: bool

    @property
    def count(self) -> int:
        """How much there is to do here."""
        return len(self.rows)


def list_webhooks(
    context: ConsoleContext, visitor: Visitor, tenant: str, after: str
) -> WebhookListing:
    """The endpoints behind one, or of them those that are told of a tenant.

    Raises StoresUnreachable.
    """
    with context.admin.db() as db:
        found = list_endpoints(db, after, PAGE + 1, tenant=tenant or None)
        lines = _lines(db, visitor, found[:PAGE])
        suggested = first_tenants(db, SUGGESTED)

    asked = {"tenant": tenant, "after": found[PAGE - 1].id} if len(found) > PAGE else {}
    following = urlencode({name: value for name, value in asked.items() if value})
    return WebhookListing(
        lines, tenant, not after, f"{PATH}?{following}" if following else "", suggested
    )


def troubled_webhooks(context: ConsoleContext, visitor: Visitor, tenant: str) -> WebhookSection:
    """Those that back off or are disabled, of a tenant or of all; raises StoresUnreachable."""
    with context.admin.db() as db:
        found = list_endpoints(db, "", PAGE + 1, tenant=tenant or None, states=TROUBLED)
        return WebhookSection(_lines(db, visitor, found[:PAGE]), len(found) > PAGE)


def shown_url(endpoint: Endpoint, visitor: Visitor) -> str:
    """The address as somebody may see it: a path can hold what a receiver knows its senders by."""
    return endpoint.url if visitor.administers else host_of(endpoint.url)


def _lines(db: Db, visitor: Visitor, found: Sequence[Endpoint]) -> tuple[ListedWebhook, ...]:
    return tuple(
        ListedWebhook(each, shown_url(each, visitor), count_waiting(db, each.id, MOST))
        for each in found
    )
