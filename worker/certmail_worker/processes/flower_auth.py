"""Flower's user and password, where none is set.

Made once by `certmail up`, kept for its owner only.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from certmail_config.base.errors import SettingsError
from certmail_config.settings import Settings
from certmail_worker.processes.local_secrets import kept

USER = "certmail"


def auth_file(settings: Settings) -> Path:
    """Where it is kept."""
    return settings.data_dir / "flower.auth"


def kept_auth(settings: Settings) -> str:
    """The `user:password` kept in the data directory; made if there is none.

    Raises SettingsError if it is spoilt.
    """
    path = auth_file(settings)
    text = kept(path, lambda: f"{USER}:{secrets.token_urlsafe(24)}")

    try:
        auth = Settings.from_env(flower_basic_auth=text).flower_basic_auth
    except SettingsError:
        message = f"{path} does not hold `user:password` in one line."
        raise SettingsError(
            "flower_auth_spoilt", message, "Delete it; `certmail up` makes another."
        ) from None

    assert auth is not None, "it was given"
    return auth.get_secret_value()
