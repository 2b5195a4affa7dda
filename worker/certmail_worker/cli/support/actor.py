"""Who sits at the command line, for the record."""

from __future__ import annotations

import os
from getpass import getuser


def user() -> str:
    """The user's name, or number where nobody has given it one, as in many containers."""
    try:
        return getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


def actor() -> str:
    """Who does it, in the words of the record."""
    return f"{user()} on the command line"
