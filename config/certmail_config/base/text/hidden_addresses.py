"""Addresses as somebody sees them who is not to read them: `a•••@acme.com`. Pure."""

from __future__ import annotations

import re
from typing import Final

_HIDDEN: Final = "•••"
_ADDRESS: Final = re.compile(r"[^\s<>\"'(),;:@]+@[^\s<>\"'(),;:@]+")


def hidden(address: str) -> str:
    """An address of which only the first letter, if there are more, and the domain are left.

    So one who is known to be there can be told from the next, but nobody is named.
    """
    local, at, domain = address.rpartition("@")
    first = local[0] if len(local) > 1 else ""
    return f"{first}{_HIDDEN}@{domain}" if at else _HIDDEN


def with_hidden_addresses(text: str) -> str:
    """A sentence in which every address is hidden, such as Google's words on why it refused one."""
    return _ADDRESS.sub(lambda found: hidden(found[0]), text)
