"""`certmail redis`: the users that certmail's processes should be in Redis."""

from __future__ import annotations

import os
import re
import secrets
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final

import typer

from certmail_config.base.errors import WrongUse
from certmail_config.rights.acl import ADMINISTRATOR, as_commands, as_file, users
from certmail_config.rights.rules import ServerVersion
from certmail_worker.cli.support.output import err, out

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_FORM: Final = "Write one user a line: its name, a blank, its password."
MIN_PASSWORD: Final = 16
"""Redis lets somebody try thousands a second."""


def acl(
    *,
    server: Annotated[
        ServerVersion,
        typer.Option(
            help="The oldest server that is to understand it; for Valkey, the newest. Redis 6.2 can tell less apart."
        ),
    ] = ServerVersion.REDIS_7_2,
    aclfile: Annotated[
        bool, typer.Option("--aclfile", help="Print a server's aclfile instead of commands.")
    ] = False,
    prefix: Annotated[str, typer.Option(help="What the users' names begin with.")] = "certmail",
    producer: Annotated[
        list[str] | None,
        typer.Option(
            help="A producer's name; may be given several times. Not given: PREFIX-producer."
        ),
    ] = None,
    database: Annotated[
        int, typer.Option(min=0, help="The number at the end of CERTMAIL_REDIS_URL.")
    ] = 0,
    passwords: Annotated[
        Path | None,
        typer.Option(
            help="File to read passwords from, `-` for stdin: one user a line, its name, a blank, its password."
        ),
    ] = None,
    new_passwords: Annotated[
        Path | None,
        typer.Option(help="File to make, with a new password for each user, and for `default`."),
    ] = None,
) -> None:
    """Print what gives each process its own user in Redis, with no more rights than it needs. Changes nothing.

    Passwords are printed as hashes. Users without one are switched off.
    """
    for name in (prefix, *(producer or [])):
        if not _NAME.fullmatch(name):
            raise WrongUse("wrong_use", f"{name!r} is no name: letters, digits, `.`, `_` and `-`.")

    made = users(prefix, producer or [])
    names = [*(user.name for user in made), ADMINISTRATOR]
    for name in names:
        if names.count(name) > 1:
            message = f"{name!r} is another user's name already."
            raise WrongUse("wrong_use", message, "Name each --producer once, by a name of its own.")
    if passwords and new_passwords:
        raise WrongUse("wrong_use", "Give --passwords or --new-passwords, not both.")
    if new_passwords:
        known = _make(new_passwords, names)
    else:
        known = _read(passwords, names) if passwords else {}

    if aclfile and ADMINISTRATOR not in known:
        raise WrongUse(
            "wrong_use",
            f"An aclfile without a password for {ADMINISTRATOR} would let everybody in.",
            f"Give {ADMINISTRATOR} a password, too (--passwords or --new-passwords).",
        )

    for line in (as_file if aclfile else as_commands)(made, known, server, database):
        out.print(line, markup=False)

    off = [user.name for user in made if user.name not in known]
    if off:
        err.print(
            f"Switched off, since they have no password: {', '.join(off)}. Give --passwords or --new-passwords.",
            markup=False,
        )


def _read(path: Path, names: Iterable[str]) -> dict[str, str]:
    """Read names and passwords; never repeats a password."""
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUse(
            "wrong_use", f"{path} cannot be read: {type(error).__name__}.", _FORM
        ) from None

    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        name, _, password = line.partition(" ")
        if name not in names:
            raise WrongUse("wrong_use", f"Line {number} names no user that is printed.", _FORM)
        if len(password) < MIN_PASSWORD:
            message = f"The password in line {number} is shorter than {MIN_PASSWORD} characters."
            raise WrongUse("wrong_use", message, _FORM)
        found[name] = password
    return found


def _make(path: Path, names: Iterable[str]) -> dict[str, str]:
    """Make a password for each, in a file that nobody else may read."""
    made = {name: secrets.token_urlsafe(32) for name in names}
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise WrongUse(
            "wrong_use",
            f"{path} cannot be made: {error.strerror}.",
            "Name a file that is not there yet.",
        ) from None
    with os.fdopen(file, "w", encoding="utf-8") as written:
        written.writelines(f"{name} {password}\n" for name, password in made.items())
    return made
