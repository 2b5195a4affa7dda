"""Trying an endpoint out: a message of its own, signed as all others, and what came back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from certmail_config.admin.admin import Admin
from certmail_config.admin.webhooks.secrets import signing_secrets
from certmail_config.sql.webhooks.endpoints import Endpoint
from certmail_config.sql.webhooks.messages import NO_STREAM
from certmail_config.webhooks.catalogue import WebhookType, payload
from certmail_config.webhooks.posting import Came, poster
from certmail_config.webhooks.signing import message_id, sign


@dataclass(frozen=True, slots=True)
class Trial:
    """What was sent, and what came back."""

    message: str
    body: str
    came: Came


async def try_out(admin: Admin, endpoint: Endpoint) -> Trial:
    """Send a trial now, whatever state the endpoint is in; that stays. Raises SealBroken.

    It is sent once, and kept nowhere.
    """
    now = datetime.now(UTC)
    message = message_id(int(now.timestamp() * 1000), NO_STREAM)
    body = payload(WebhookType.WEBHOOK_TEST, now, {"webhook": endpoint.id})
    headers = sign(signing_secrets(admin.vault, endpoint, now), message, int(now.timestamp()), body)

    settings = admin.settings
    async with poster(settings.webhooks_allowed, settings.webhook_ca_file) as posts:
        return Trial(message, body, await posts.post(endpoint.url, headers, body))
