"""The secrets that an endpoint's messages are signed with."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from certmail_config.crypto.vault import Vault
from certmail_config.sql.webhooks.endpoints import Endpoint
from certmail_config.tenants.sealed_fields import open_from, seal_for, webhook_row


def seal_secret(vault: Vault, id_: str, url: str, secret: str) -> bytes:
    """Seal a secret for its endpoint."""
    return seal_for(vault, secret.encode(), webhook_row(id_, url), "secret")


def at_address(vault: Vault, endpoint: Endpoint, url: str, now: datetime) -> Endpoint:
    """The endpoint at another address, with its secrets sealed for that one; raises SealBroken."""
    newest, *before = [
        seal_secret(vault, endpoint.id, url, each) for each in signing_secrets(vault, endpoint, now)
    ]
    until = endpoint.previous_until if before else None
    previous = before[0] if before else None
    return replace(endpoint, url=url, secret=newest, previous_secret=previous, previous_until=until)


def signing_secrets(vault: Vault, endpoint: Endpoint, now: datetime) -> list[str]:
    """Those that sign now, the newest first: two while one is replaced. Raises SealBroken."""
    sealed = [endpoint.secret]
    if endpoint.previous_secret is not None and (endpoint.previous_until or now) > now:
        sealed.append(endpoint.previous_secret)
    row = webhook_row(endpoint.id, endpoint.url)
    return [open_from(vault, each, row, "secret").decode() for each in sealed]
