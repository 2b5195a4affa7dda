"""How an endpoint is shown, to people and as JSON: its secret is not."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from certmail_config.sql.webhooks.endpoints import EVERY_TENANT, Endpoint
from certmail_config.sql.webhooks.messages import Kept
from certmail_worker.cli.support.output import when

Id = Annotated[
    str, typer.Argument(metavar="WEBHOOK", help="Its id, as `certmail webhooks list` shows it.")
]


def webhook_json(endpoint: Endpoint) -> dict[str, Any]:
    """An endpoint as JSON."""
    health = endpoint.health
    return {
        "id": endpoint.id,
        "name": endpoint.name,
        "url": endpoint.url,
        "tenants": sorted(endpoint.tenants),
        "types": sorted(endpoint.types),
        "state": health.state,
        "code": health.code,
        "since": when(health.since),
        "error": endpoint.error,
        "failing_since": when(health.failing_since),
        "next_at": when(health.next_at),
        "succeeded_at": when(health.succeeded_at),
        "previous_secret_until": when(endpoint.previous_until),
        "created_at": when(endpoint.created_at),
    }


def kept_json(kept: Kept) -> dict[str, Any]:
    """What is kept for an endpoint, as JSON."""
    return {
        "waiting": kept.waiting,
        "delivered": kept.delivered,
        "failed": kept.failed,
        "oldest_due": when(kept.oldest_due),
    }


def whose(endpoint: Endpoint) -> str:
    """The tenants that an endpoint is told of, for people."""
    return (
        "every tenant" if EVERY_TENANT in endpoint.tenants else ", ".join(sorted(endpoint.tenants))
    )
