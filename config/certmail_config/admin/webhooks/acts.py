"""What somebody did with an endpoint, put on record: its id and host, and no more of its address.

A path or a query may hold what the receiver knows its senders by.
"""

from __future__ import annotations

from certmail_config.admin.admin import Admin
from certmail_config.ledger import Act
from certmail_config.sql.webhooks.endpoints import EVERY_TENANT, Endpoint
from certmail_config.webhooks.catalogue import EVERY_TYPE
from certmail_config.webhooks.targets import host_of


def record_act(admin: Admin, what: Act, endpoint: Endpoint, more: str = "") -> None:
    """Put it on record: of its tenant, or of the deployment, where it has several.

    Raises RedisError.
    """
    told = f"{endpoint.id}, {host_of(endpoint.url)}"
    only = next(iter(endpoint.tenants)) if len(endpoint.tenants) == 1 else EVERY_TENANT
    admin.record(what, only, reason=f"{told}: {more}" if more else told)


def types_told(endpoint: Endpoint) -> str:
    """What an endpoint is told of, in words."""
    return "everything" if EVERY_TYPE in endpoint.types else ", ".join(sorted(endpoint.types))
