"""Browsers in which an operator has signed in before: each has a cookie that only we can make."""

from __future__ import annotations

import base64
import binascii
import secrets

from certmail_config.base.errors import SealBroken
from certmail_config.crypto.vault import Vault

_OWNER = "known-browser"


def new_mark(vault: Vault) -> str:
    """A value for the cookie of a browser that is known from now on."""
    sealed = vault.seal(secrets.token_bytes(16), owner=_OWNER)
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def browser_of(vault: Vault, mark: str) -> str:
    """The browser's name, given what its cookie holds.

    Empty for what we have not made, or made under a key that is gone.
    """
    try:
        sealed = base64.urlsafe_b64decode(mark + "=" * (-len(mark) % 4))
        return vault.open(sealed, owner=_OWNER).hex()
    except (SealBroken, binascii.Error, ValueError):
        return ""
