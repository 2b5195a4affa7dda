"""One endpoint as its page shows it: how it takes its messages, and the newest of them.

Reading blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from certmail.gateway.console.context import ConsoleContext
from certmail.gateway.console.sessions.sessions import Visitor
from certmail.gateway.console.webhooks.webhook_list import shown_url
from certmail.gateway.console.webhooks.words import MESSAGES, STATES
from certmail_config.admin.webhooks.endpoints import view_webhook
from certmail_config.sql.webhooks.endpoints import Endpoint
from certmail_config.sql.webhooks.messages import Kept, MessageState
from certmail_config.webhooks.health import DISABLE_AFTER, EndpointState
from certmail_config.webhooks.targets import host_of

NEWEST: Final = 30
FEW: Final = 20
SOON: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """A message that is kept: `at` is when it ended, or is due next."""

    id: str
    type: str
    state: MessageState
    at: datetime
    attempts: int
    status: int | None
    error: str

    @property
    def shown(self) -> tuple[str, str]:
        """Tone and name of its state."""
        return MESSAGES[self.state]


@dataclass(frozen=True, slots=True)
class WebhookDetails:
    """An endpoint, its address as somebody may see it, and what is kept for it for so many `days`."""

    endpoint: Endpoint
    url: str
    kept: Kept
    newest: tuple[ShownMessage, ...]
    days: int

    @property
    def shown(self) -> tuple[str, str]:
        """Tone and name of its state."""
        return STATES[self.endpoint.health.state]

    @property
    def host(self) -> str:
        """Where it leads, in short."""
        return host_of(self.endpoint.url)

    @property
    def under_way(self) -> bool:
        """Whether the page is to look again soon: the little that waits is about to be sent."""
        due, state = self.kept.oldest_due, self.endpoint.health.state
        soon = due is not None and abs(due - datetime.now(UTC)) < SOON
        return soon and state is EndpointState.ACTIVE and self.kept.waiting <= FEW

    @property
    def before_until(self) -> datetime | None:
        """Until when the secret before signs as well, if it still does."""
        return still_signs_until(self.endpoint)

    @property
    def disabled_at(self) -> datetime | None:
        """When it will be disabled if it takes nothing until then."""
        since = self.endpoint.health.failing_since
        return since and since + DISABLE_AFTER


def still_signs_until(endpoint: Endpoint) -> datetime | None:
    """Until when an endpoint's secret before signs as well; None where there is none that does."""
    until = endpoint.previous_until
    return until if until is not None and until > datetime.now(UTC) else None


def read_webhook(context: ConsoleContext, visitor: Visitor, id_: str) -> WebhookDetails:
    """Read one endpoint with its newest messages; raises Refused, StoresUnreachable."""
    view = view_webhook(context.admin, id_, NEWEST)
    return WebhookDetails(
        view.endpoint,
        shown_url(view.endpoint, visitor),
        view.kept,
        tuple(_message(each) for each in view.newest),
        context.admin.settings.webhook_days,
    )


def _message(row: dict[str, Any]) -> ShownMessage:
    return ShownMessage(
        id=row["id"],
        type=row["type"],
        state=MessageState(row["state"]),
        at=row["ended_at"] or row["due_at"],
        attempts=row["attempts"],
        status=row["status"],
        error=row["error"] or "",
    )
