"""Who sits at the command line, and why they do what they do, for the record."""

from __future__ import annotations

import os
from getpass import getuser
from typing import Annotated, Final

import typer

_LONGEST: Final = 64
Reason = Annotated[str | None, typer.Option(help="For the record. Else: by whom.")]


def user() -> str:
    """The user's name, or number where nobody has given it one, as in many containers.

    With sudo, whoever became that user stands before it.
    """
    try:
        here = getuser()
    except (KeyError, OSError):
        here = f"user {os.getuid()}"

    before = os.environ.get("SUDO_USER", "")
    known = before != here and before.isprintable() and 0 < len(before) <= _LONGEST
    return f"{before} as {here}" if known else here


def actor() -> str:
    """Who does it, in the words of the record."""
    return f"{user()} on the command line"


def by_whom(reason: str | None) -> str:
    """What the record says of why."""
    return reason or f"by {user()}"
