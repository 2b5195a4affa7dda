"""The consent by which a Google account is linked.

The console, the command line and the demo begin it alike.
"""

from __future__ import annotations

from certmail_config.admin.admin import Admin
from certmail_config.onboarding.consents import begin_link
from certmail_config.settings.oauth_client import configured_client
from certmail_config.tenants.models import Connection


def begin_consent(
    admin: Admin,
    connection: Connection,
    *,
    browser: str = "",
    back: str = "",
    another: bool = False,
    choose: bool = False,
) -> str:
    """Begin a consent as the settings have it; returns the URL at Google.

    The arguments are those of `begin_link`. Raises SettingsError where no OAuth client is set.
    """
    settings = admin.settings
    return begin_link(
        admin.redis,
        admin.vault,
        connection,
        configured_client(settings),
        page=settings.google_auth_url,
        redirect_uri=settings.callback_url,
        browser=browser,
        back=back,
        another=another,
        choose=choose,
    )
