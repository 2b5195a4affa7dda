"""A tenant's hashes of what nobody may read: equal for equal values, and of no use without its salt.

HMAC-SHA-256, of which the first half is kept.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

HEX_DIGITS: Final = 32


class KeyedHash:
    """The hashes of one salt and purpose; begun once, since the key takes as long as a value."""

    def __init__(self, salt: bytes, purpose: bytes) -> None:
        self._begun = hmac.new(salt, purpose + b"\0", hashlib.sha256)

    def of(self, value: bytes) -> str:
        """The hash of a value, in hexadecimal digits."""
        hashed = self._begun.copy()
        hashed.update(value)
        return hashed.hexdigest()[:HEX_DIGITS]
