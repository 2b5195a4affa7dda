"""Our OAuth client, as the settings name it."""

from __future__ import annotations

from certmail_config.base.errors import SettingsError
from certmail_config.google.oauth import OAuthClient
from certmail_config.settings import Settings


def oauth_client(settings: Settings) -> OAuthClient | None:
    """Our OAuth client, if one is configured."""
    if settings.oauth_client_id is None or settings.oauth_client_secret is None:
        return None
    return OAuthClient(settings.oauth_client_id, settings.oauth_client_secret.get_secret_value())


def configured_client(settings: Settings) -> OAuthClient:
    """Our OAuth client; raises SettingsError naming what is missing."""
    client = oauth_client(settings)
    if client is None:
        raise SettingsError(
            "oauth_client_missing",
            "CERTMAIL_OAUTH_CLIENT_ID and CERTMAIL_OAUTH_CLIENT_SECRET are not set: no account can be linked without them.",
            f"Make an OAuth client (web application) in the Google Cloud console, with the redirect URI {settings.callback_url}.",
        )
    return client
