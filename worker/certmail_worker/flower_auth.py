"""Flower's user and password, where none is set: made once by `certmail up`, kept for its owner only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from certmail_config.errors import SettingsError
from certmail_config.settings import Settings

USER = "certmail"


def auth_file(settings: Settings) -> Path:
    """Where it is kept."""
    return settings.data_dir / "flower.auth"


def kept_auth(settings: Settings) -> str:
    """The `user:password` kept in the data directory; made if there is none. Raises SettingsError if it is spoilt.

    For a process that is alone on the data directory, as `up` is.
    """
    path = auth_file(settings)
    if not path.exists():
        part = path.with_suffix(".part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{USER}:{secrets.token_urlsafe(24)}\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    text = path.read_text("utf-8", errors="replace").strip()
    try:
        kept = Settings.from_env(flower_basic_auth=text).flower_basic_auth
    except SettingsError:
        message = f"{path} does not hold `user:password` in one line."
        raise SettingsError(
            "flower_auth_spoilt", message, "Delete it; `certmail up` makes another."
        ) from None
    assert kept is not None, "it was given"
    return kept.get_secret_value()
