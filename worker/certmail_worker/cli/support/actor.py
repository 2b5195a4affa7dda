"""Who sits at the command line, and why they do what they do, for the record."""

from __future__ import annotations

import os
from getpass import getuser
from typing import Annotated

import typer

Reason = Annotated[str | None, typer.Option(help="For the record. Else: by whom.")]


def user() -> str:
    """The user's name, or number where nobody has given it one, as in many containers."""
    try:
        return getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


def actor() -> str:
    """Who does it, in the words of the record."""
    return f"{user()} on the command line"


def by_whom(reason: str | None) -> str:
    """What the record says of why."""
    return reason or f"by {user()}"
