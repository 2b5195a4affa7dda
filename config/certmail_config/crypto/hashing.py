"""How a secret is kept that somebody shows again: by its hash alone."""

from __future__ import annotations

import hashlib


def hash_of_secret(secret: str) -> str:
    """Of a secret long enough that nobody can try them all; in hexadecimal digits."""
    return hashlib.sha256(secret.encode()).hexdigest()
