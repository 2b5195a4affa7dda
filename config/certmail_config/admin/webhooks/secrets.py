"""The secrets that an endpoint's messages are signed with."""

from __future__ import annotations

from datetime import datetime

from certmail_config.crypto.vault import Vault
from certmail_config.sql.webhooks.endpoints import Endpoint
from certmail_config.tenants.sealed_fields import open_from, seal_for


def seal_secret(vault: Vault, id_: str, secret: str) -> bytes:
    """Seal a secret for its endpoint."""
    return seal_for(vault, secret.encode(), _row(id_), "secret")


def signing_secrets(vault: Vault, endpoint: Endpoint, now: datetime) -> list[str]:
    """Those that sign now, the newest first: two while one is replaced. Raises SealBroken."""
    sealed = [endpoint.secret]
    if endpoint.previous_secret is not None and (endpoint.previous_until or now) > now:
        sealed.append(endpoint.previous_secret)
    return [open_from(vault, each, _row(endpoint.id), "secret").decode() for each in sealed]


def _row(id_: str) -> str:
    return f"webhook/{id_}"
