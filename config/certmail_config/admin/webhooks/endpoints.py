"""Which endpoints there are: add one, look at them, remove one.

A secret is given once, when it is made.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection as Db

from certmail_config.admin.admin import Admin
from certmail_config.admin.webhooks.acts import record_act, types_told
from certmail_config.admin.webhooks.secrets import seal_secret
from certmail_config.base.errors import Refused, WrongUse
from certmail_config.base.ids import uuid7
from certmail_config.ledger import Act
from certmail_config.settings.forms import did_you_mean
from certmail_config.sql import registry
from certmail_config.sql.webhooks import endpoints, messages
from certmail_config.sql.webhooks.endpoints import EVERY_TENANT, Endpoint
from certmail_config.sql.webhooks.messages import Kept
from certmail_config.webhooks.catalogue import EVERY_TYPE, SUBSCRIBABLE
from certmail_config.webhooks.health import EndpointState, Health
from certmail_config.webhooks.signing import new_secret
from certmail_config.webhooks.targets import read_target

MAX_NAME: Final = 200
MAX_OF_TENANT: Final = 20
"""Endpoints that may be told of one tenant: each event is kept and sent once for each."""
NEWEST: Final = 20


@dataclass(frozen=True, slots=True)
class WebhookView:
    """An endpoint, what is kept for it, and its newest messages."""

    endpoint: Endpoint
    kept: Kept
    newest: tuple[dict[str, Any], ...]


def add_webhook(
    admin: Admin,
    url: str,
    *,
    tenants: Collection[str],
    types: Collection[str] = (),
    name: str = "",
) -> tuple[Endpoint, str]:
    """Make an endpoint; gives it, and its secret, which nobody can find out later.

    No type means every type. Raises Refused for an unknown tenant, WrongUse.
    """
    target = read_target(url, admin.settings.webhooks_allowed)
    wanted = check_types(types)
    if not tenants:
        raise WrongUse(
            "missing_option",
            "A webhook without a tenant would be told of nothing.",
            "Name a tenant (--tenant), or say that it is for all (--every-tenant).",
        )

    now, secret = datetime.now(UTC), new_secret()
    id_ = uuid7(int(now.timestamp() * 1000))
    made = Endpoint(
        id=id_,
        name=name.strip()[:MAX_NAME],
        url=target,
        tenants=frozenset(tenants),
        types=wanted,
        secret=seal_secret(admin.vault, id_, target, secret),
        health=Health(EndpointState.ACTIVE, since=now),
        version=1,
        created_at=now,
    )
    with admin.db() as db:
        for tenant in sorted(made.tenants):
            _check_tenant(db, tenant)
        endpoints.add_endpoint(db, made)

    whose = ", ".join(sorted(made.tenants))
    record_act(admin, Act.WEBHOOK_ADDED, made, f"told of {types_told(made)}, of {whose}")
    return made, secret


def check_types(types: Collection[str]) -> frozenset[str]:
    """The types that somebody asks for; raises WrongUse for one that there is not."""
    known = {str(each) for each in SUBSCRIBABLE}
    for each in types:
        if each not in known and each != EVERY_TYPE:
            raise WrongUse(
                "unknown_type",
                f"There is no type of event {each!r}{did_you_mean(each, known)}".rstrip("."),
                f"These there are: {', '.join(sorted(known))}.",
            )
    return frozenset(types) if types and EVERY_TYPE not in types else frozenset({EVERY_TYPE})


def list_webhooks(admin: Admin, after: str = "", limit: int | None = None) -> list[Endpoint]:
    """All endpoints, or some of them, in the order in which they were made."""
    with admin.db() as db:
        return endpoints.list_endpoints(db, after, limit)


def get_webhook(admin: Admin, id_: str) -> Endpoint:
    """One endpoint; raises Refused."""
    with admin.db() as db:
        return endpoints.get_endpoint(db, id_)


def view_webhook(admin: Admin, id_: str, newest: int = NEWEST) -> WebhookView:
    """One endpoint with what is kept for it; raises Refused."""
    with admin.db() as db:
        return WebhookView(
            endpoints.get_endpoint(db, id_),
            messages.kept_of(db, id_),
            tuple(messages.newest_messages(db, id_, newest)),
        )


def remove_webhook(admin: Admin, id_: str) -> Endpoint:
    """Remove an endpoint, and what waits for it. Raises Refused."""
    with admin.db() as db:
        found = endpoints.get_endpoint(db, id_)
        endpoints.remove_endpoint(db, id_)
    record_act(admin, Act.WEBHOOK_REMOVED, found)
    return found


def _check_tenant(db: Db, tenant: str) -> None:
    if tenant != EVERY_TENANT:
        registry.get_tenant(db, tenant)
    if endpoints.count_of_tenant(db, tenant) >= MAX_OF_TENANT:
        whose = "all tenants" if tenant == EVERY_TENANT else tenant
        raise Refused(
            "too_many_webhooks",
            f"There are {MAX_OF_TENANT} webhooks for {whose} already.",
            "Remove one that nobody needs: see `certmail webhooks list`.",
        )
