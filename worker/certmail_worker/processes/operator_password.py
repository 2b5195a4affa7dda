"""The console's password, where none is set: made once by `certmail up`."""

from __future__ import annotations

import secrets
from pathlib import Path

from certmail_config.base.errors import SettingsError
from certmail_config.settings import MIN_PASSWORD, Settings
from certmail_worker.processes.local_secrets import kept


def password_file(settings: Settings) -> Path:
    """Where it is kept."""
    return settings.data_dir / "operator.password"


def kept_password(settings: Settings) -> str:
    """The password kept in the data directory; made if there is none.

    Raises SettingsError if it is too short.
    """
    path = password_file(settings)
    password = kept(path, lambda: secrets.token_urlsafe(18))
    if len(password) < MIN_PASSWORD:
        message = f"{path} does not hold a password of at least {MIN_PASSWORD} characters."
        remedy = "Delete it; `certmail up` makes another."
        raise SettingsError("operator_password_spoilt", message, remedy)

    return password
