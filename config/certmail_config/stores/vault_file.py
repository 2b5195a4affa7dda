"""The file of vault keys in the data directory, used where CERTMAIL_VAULT_KEYS is not set.

It has one key a line, newest first.

Every process on the machine reads the same file, and reads it again while it runs (see vault.py),
so that a key which is put in front is known to all of them before anybody can have sealed with it.
"""

from __future__ import annotations

import base64
import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from certmail_config.base.errors import SettingsError, WrongUse
from certmail_config.settings import Settings, parse_vault_key


def key_file(settings: Settings) -> Path:
    """Where the file is."""
    return settings.data_dir / "vault.key"


def new_vault_key() -> str:
    """Make a key in the form of CERTMAIL_VAULT_KEYS."""
    return f"k{secrets.token_hex(4)}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def read_keys(path: Path) -> tuple[tuple[str, bytes], ...]:
    """The keys in the file; raises SettingsError, which repeats nothing of it."""
    try:
        parts = re.split(r"[,\s]+", path.read_text("ascii", errors="replace").strip(", \t\r\n"))
        return tuple(parse_vault_key(part) for part in parts)
    except OSError as error:
        message = f"The vault keys in {path} cannot be read: {error.strerror}."
    except ValueError as error:
        message = f"The vault keys in {path} cannot be used: {error}."

    raise SettingsError(
        "invalid_vault_file", message, "Restore the file, or set CERTMAIL_VAULT_KEYS."
    )


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Of several that would make or change the file, one does it after the other."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_keys(path: Path, keys: str) -> None:
    """Write whole or not at all, readable by the owner only, even for the moment of writing."""
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)  # what a crash left behind
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(keys)
        file.flush()
        os.fsync(file.fileno())

    part.replace(path)
    # The name too must be on disk before a store can hold what was sealed with it.
    folder = os.open(path.parent, os.O_RDONLY)

    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def require_key_file(settings: Settings) -> None:
    """Raise WrongUse where `put_in_front` would not do, or not reach every process."""
    if settings.vault_keys:
        raise WrongUse(
            "keys_are_set",
            "--new-key is for keys that are kept in the data directory, and CERTMAIL_VAULT_KEYS is set.",
            "Make a key with `certmail vault keygen`. Put it into CERTMAIL_VAULT_KEYS of every process, first behind the present "
            "one, and restart them; then in front of it, and restart them; then run `certmail vault rotate`.",
        )

    if settings.database_url is not None:
        path = key_file(settings)
        raise WrongUse(
            "keys_may_be_elsewhere",
            f"CERTMAIL_DATABASE_URL is set: processes on other machines may use it, and would not learn of a new key in {path}.",
            f"Set CERTMAIL_VAULT_KEYS to what is in {path}, with commas between, for every process; then add the new key there.",
        )


def put_in_front(path: Path) -> str:
    """Make a new key, the newest from now on for every process of this machine; gives its id.

    Raises SettingsError.
    """
    with locked(path):
        read_keys(path)  # a file that cannot be used must be restored, not added to
        present = path.read_text("ascii").replace(",", "\n").split()
        key = new_vault_key()
        write_keys(path, "\n".join([key, *present]) + "\n")
    return key.partition(":")[0]
