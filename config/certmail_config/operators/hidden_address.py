"""Addresses as they are shown to whoever is not to read them."""

from __future__ import annotations

from typing import Final

DOTS: Final = "•••"


def hidden_address(address: str) -> str:
    """An address without its name: `ann@acme.com` is `a•••@acme.com`; what is none, dots alone."""
    name, at, domain = address.rpartition("@")
    return (
        f"{name[0]}{DOTS}@{domain}" if at and len(name) > 1 else f"{DOTS}{at}{domain if at else ''}"
    )
