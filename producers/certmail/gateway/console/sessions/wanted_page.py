"""The page that somebody wanted before signing in. Pure.

It is only ever one of the console's own, whoever made the address.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlencode

HOME: Final = "/console"
SIGN_IN: Final = "/console/sign-in"
_OWN: Final = re.compile(r"/console(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+")
"""Addresses without a host, a query, or dots that lead elsewhere."""


def to_sign_in(method: str, path: str) -> str:
    """The address to sign in at, so as to come to this page afterwards.

    What a form would have done is not done later.
    """
    wanted = own(path)
    if method != "GET" or wanted == HOME:
        return SIGN_IN
    return f"{SIGN_IN}?{urlencode({'next': wanted})}"


def own(path: str) -> str:
    """The page, if it is one of the console's; else its first."""
    return path if len(path) < 500 and _OWN.fullmatch(path) and path != SIGN_IN else HOME
