"""Browsers in which an operator has signed in before: each has a cookie that only we can have made."""

from __future__ import annotations

import base64
import binascii
import secrets

from certmail_config.base.errors import SealBroken
from certmail_config.crypto.vault import Vault

_OWNER = "known-browser"


def new_mark(vault: Vault) -> str:
    """What its cookie holds."""
    return (
        base64.urlsafe_b64encode(vault.seal(secrets.token_bytes(16), owner=_OWNER))
        .decode()
        .rstrip("=")
    )


def browser_of(vault: Vault, mark: str) -> str:
    """The browser's name, given what its cookie holds; empty for what we have not made, or under a key that is gone."""
    try:
        sealed = base64.urlsafe_b64decode(mark + "=" * (-len(mark) % 4))
        return vault.open(sealed, owner=_OWNER).hex()
    except (SealBroken, binascii.Error, ValueError):
        return ""
