"""Which planned mail it is, whatever its instant. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Final, NamedTuple

BY_HAND: Final = "@now"
"""The rule of what somebody asked for by hand: no rule of a campaign can have this name."""


class Identity(NamedTuple):
    """A mail of a tenant's campaigns: a change of date moves it, and makes it no other."""

    campaign: str
    reviewer: str
    rule: str
    ordinal: int


def key_of(identities: Iterable[Identity], generation: int) -> str:
    """What makes two jobs the same: the mails that they stand for, and how often that was changed."""
    named = json.dumps([*sorted(identities), generation])
    return f"planned:{hashlib.sha256(named.encode()).hexdigest()}"
