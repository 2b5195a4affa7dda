"""Settings of the sandbox, which plays Google on this machine.

These are its addresses, and what a data directory of its own keeps.

What is kept there goes before the environment: whoever works in that directory works with the
sandbox, wherever it is started from and whatever else is set, and never with Google or with another
deployment's stores.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from certmail_config.base.errors import SettingsError

APART: Final[Mapping[str, Any]] = {
    "redis_url": None,
    "database_url": None,
    "vault_keys": (),
    "public_url": None,
    "deployment_key": None,
    "api_key": None,
    "google_ca_file": None,
    "google_proxy": None,
}
"""What must not come from the environment, so that nothing of another deployment's is touched."""


def sandbox_addresses(url: str) -> dict[str, str]:
    """Where the sandbox at this address plays each of Google's, by setting."""
    base = url.rstrip("/")
    return {
        "google_auth_url": f"{base}/o/oauth2/v2/auth",
        "google_token_url": f"{base}/token",
        "google_revoke_url": f"{base}/revoke",
        "google_userinfo_url": f"{base}/v1/userinfo",
        "google_certs_url": f"{base}/oauth2/v1/certs",
        "google_x509_url": f"{base}/service_accounts/v1/metadata/x509/",
        "gmail_url": base,
        "google_console_url": base,
        "google_admin_url": base,
    }


def kept_file(data_dir: Path) -> Path:
    """What makes a data directory the sandbox's."""
    return data_dir / "sandbox.json"


def is_sandbox(data_dir: Path) -> bool:
    """Whether a data directory is the sandbox's."""
    return kept_file(data_dir).exists()


def read_kept(data_dir: Path) -> dict[str, Any]:
    """What the sandbox keeps in its directory; empty where there is none. Raises SettingsError."""
    path = kept_file(data_dir)

    try:
        kept = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        kept = None

    if not isinstance(kept, dict):
        raise SettingsError(
            "sandbox_spoilt",
            f"{path} cannot be read.",
            f"If `certmail up --sandbox` made {data_dir}, run it with --fresh; if not, remove that file alone.",
        )

    return kept


def keep(data_dir: Path, kept: Mapping[str, Any]) -> None:
    """Write it anew, for its owner only, whole or not at all."""
    path = kept_file(data_dir)
    part = path.with_suffix(".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(kept, file, indent=1)
    part.replace(path)


def settings_of(data_dir: Path) -> dict[str, Any]:
    """The settings that hold in this data directory, whatever the environment says.

    They are empty where the directory is not the sandbox's.
    """
    kept = read_kept(data_dir)
    if not kept:
        return {}
    given: dict[str, Any] = dict(kept.get("settings", {}))
    return {**APART, **sandbox_addresses(str(given.get("sandbox_url", ""))), **given}


def exports(data_dir: Path) -> str:
    """Lines for a shell, to be pasted before any command.

    With them `certmail` is found there and works in this directory.
    """
    beside = Path(sys.executable).parent
    found = shutil.which("certmail")
    here = found is not None and Path(found).parent.resolve() == beside.resolve()
    path = "" if here else f"export PATH={shlex.quote(str(beside))}:$PATH\n"
    return f"{path}export CERTMAIL_DATA_DIR={shlex.quote(str(data_dir.absolute()))}\n"
