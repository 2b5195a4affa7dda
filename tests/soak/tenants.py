"""How the tenants of a soak are connected, at Google and in certmail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, Final

from certmail_config.crypto.certificates import KeyPair, new_key_pair
from certmail_config.crypto.signing import sign
from certmail_config.sql import registry
from certmail_config.tenants.models import (
    SEND_SCOPE,
    Connection,
    ConnectionKind,
    ConnectionState,
    GoogleLimits,
)
from certmail_config.tenants.working_copy import write_connection, write_deployment, write_tenant
from chaos.retrying import patiently
from soak.facts import Tenants, mailbox_of
from support.deployment.deployment import Deployment

UNITS: Final = 60_000
"""A minute, of each mailbox: so many that no mail waits for its mailbox."""
ACCOUNT: Final = "certmail@many-it.iam.gserviceaccount.com"
BULK: Final = 500
"""So many tenants in one transaction."""


def connect(place: Deployment, tenants: Tenants, per_day: int, say: Callable[[str], None]) -> None:
    """Set all of them up at Google and in certmail. Needs the gateway."""
    for tenant in (*tenants.calm, *tenants.looked_up, *tenants.blind):
        place.link(tenant, units=UNITS, in_flight=10, verify=tenant in tenants.looked_up)
    for tenant in tenants.linked:
        patiently(lambda tenant=tenant: place.link_account(tenant, mailbox_of(tenant)))  # type: ignore[misc]  # as it is now

    with place.admin.db() as db:
        connections = registry.list_connections(db)
    for connection in connections:
        place.admin.change_limits(
            connection.id, {"units_per_minute": UNITS, "in_flight": 10, "per_day": per_day}
        )

    if tenants.many:
        say(f"connecting {len(tenants.many):,} mailboxes more")
        place.admin.redis.config_set("appendfsync", "no")  # what is set up can be set up again
        _connect_many(place, tenants.many, say)
        place.admin.redis.config_set("appendfsync", "always")


def _connect_many(place: Deployment, tenants: Sequence[str], say: Callable[[str], None]) -> None:
    """Connect mailboxes of one service account, in bulk."""
    pair, admin = new_key_pair(datetime.now(UTC)), place.admin
    place.control("POST", "/service-accounts", {"email": ACCOUNT, "project": "many-it"})
    place.control("PUT", f"/service-accounts/{ACCOUNT}/delegation", {"scopes": [SEND_SCOPE]})
    place.control("POST", f"/service-accounts/{ACCOUNT}/keys", pair.certificate)

    with admin.db() as db:
        salt, key = registry.deployment_salt(db), registry.signing_key(db, admin.vault)
    write_deployment(admin.redis, salt)

    limits = asdict(GoogleLimits())
    for start in range(0, len(tenants), BULK):
        part, now = tenants[start : start + BULK], datetime.now(UTC)
        with admin.db() as db:
            made = [registry.add_tenant(db, admin.vault, tenant, now) for tenant in part]
            for _, draft in made:
                registry.save_connection(db, _working(place, draft, pair))
            linked = [registry.change_limits(db, draft.id, limits) for _, draft in made]

        for (tenant, _), connection in zip(made, linked, strict=True):
            place.control("POST", "/accounts", {"email": connection.mailbox})
            write_connection(admin.redis, admin.vault, connection, salt, settle_lane=True)
            signature = sign(key, tenant.id, tenant.public_key)
            write_tenant(admin.redis, admin.vault, tenant, [connection], signature)

        if (start + BULK) % 5_000 == 0:
            say(f"{start + BULK:,} are connected")


def _working(place: Deployment, draft: Connection, pair: KeyPair) -> Connection:
    """The connection after an administrator has uploaded the certificate, and a probe passed."""
    return replace(
        draft,
        kind=ConnectionKind.CUSTOMER_OWNED_APP,
        state=ConnectionState.ACTIVE,
        mailbox=mailbox_of(draft.tenant),
        service_account=ACCOUNT,
        private_key=place.admin.vault.seal(pair.private_key, owner=draft.owner),
        certificate=pair.certificate,
        not_after=pair.not_after,
    )


def google_limits(factor: float) -> dict[str, Any]:
    """Google's limits: those of a day are for a compressed one, those of a minute decide nothing."""
    return {
        "units_per_minute": UNITS,
        "in_flight": 1_000,
        **{
            name: int(value * factor)
            for name, value in (
                ("messages_per_day", 2_000),
                ("recipients_per_day", 10_000),
                ("external_recipients_per_day", 3_000),
                ("unique_recipients_per_day", 3_000),
                ("unique_external_recipients_per_day", 2_000),
                ("upload_bytes_per_day", 500 * 1024**2),
                ("download_bytes_per_day", 2_500 * 1024**2),
            )
        },
    }
