"""Whether there is a deployment at all.

Whoever looks for one in the wrong directory learns it, and makes none by looking.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final

from certmail_config.base.errors import Refused
from certmail_config.settings import PREFIX, Settings, default_data_dir
from certmail_config.settings.sandbox import is_sandbox

MADE: Final = ("certmail.sqlite", "vault.key", "valkey")
"""What the data directory of a deployment has, one at least."""


def require_deployment(settings: Settings) -> None:
    """Raise Refused where the settings name no store, and the data directory has none."""
    refuse_sandbox(settings)
    if not _is_there(settings):
        raise Refused(
            "no_deployment",
            f"There is no deployment in {settings.data_dir.absolute()}.",
            f"`certmail tenants add` begins one there, or `certmail up`. {PREFIX}DATA_DIR names another directory; "
            f"{PREFIX}REDIS_URL and {PREFIX}DATABASE_URL name servers.",
        )


def refuse_sandbox(settings: Settings) -> None:
    """Raise Refused where there is no deployment, but a sandbox elsewhere.

    Whoever just started that sandbox means it.
    """
    place = settings.data_dir.absolute()

    if not _is_there(settings) and (sandbox := _sandbox_near(place)) is not None:
        raise Refused(
            "no_deployment",
            f"There is no deployment in {place}; a sandbox is in {sandbox}.",
            f"export {PREFIX}DATA_DIR={shlex.quote(str(sandbox))}",
        )


def _is_there(settings: Settings) -> bool:
    place = settings.data_dir.absolute()
    configured = bool(settings.redis_url or settings.database_url)
    return configured or is_sandbox(place) or any((place / name).exists() for name in MADE)


def _sandbox_near(place: Path) -> Path | None:
    """The sandbox of this directory, or else of the one that is used where nothing is set."""
    found = (each / "sandbox" for each in (place, default_data_dir().absolute()))
    return next((each for each in found if is_sandbox(each)), None)
