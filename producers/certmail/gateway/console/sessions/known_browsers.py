"""Browsers in which an operator has signed in before: each has a cookie that only we can make."""

from __future__ import annotations

import base64
import binascii
import secrets

from certmail_config.base.errors import SealBroken
from certmail_config.crypto.vault import Vault

_OWNER = "known-browser"


def new_mark(vault: Vault, account: str = "") -> str:
    """A value for the cookie of a browser that is known from now on, to this account."""
    sealed = vault.seal(secrets.token_bytes(16), owner=_owner(account))
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def browser_of(vault: Vault, mark: str, account: str = "") -> str:
    """The browser's name, given what its cookie holds.

    Empty for what we have not made, made for another account, or under a key that is gone.
    """
    try:
        sealed = base64.urlsafe_b64decode(mark + "=" * (-len(mark) % 4))
        return vault.open(sealed, owner=_owner(account)).hex()
    except (SealBroken, binascii.Error, ValueError):
        return ""


def _owner(account: str) -> str:
    return f"{_OWNER}/{account}" if account else _OWNER
