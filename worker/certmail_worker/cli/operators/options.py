"""What commands about operators have in common: arguments, a password, and how one is shown."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from certmail_config.operators.operator import Operator
from certmail_config.operators.passwords import new_password
from certmail_worker.cli.support.output import err, out, print_json, when

Name = Annotated[str, typer.Argument(metavar="NAME", help="As in ann, or ann.smith.")]
FromStdin = Annotated[
    bool,
    typer.Option(
        "--password-stdin",
        help="Read the password from stdin, one line. Without this one is made up, and shown once.",
    ),
]


def password_of(*, from_stdin: bool) -> tuple[str, bool]:
    """The password to set, and whether it was made up."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n"), False
    return new_password(), True


def as_json(operator: Operator) -> dict[str, object]:
    """An operator as every command gives it."""
    return {
        "name": operator.name,
        "role": operator.role,
        "state": "disabled" if operator.disabled else "active",
        "address": operator.address or None,
        "password": operator.password is not None,
        "created_at": when(operator.created_at),
    }


def show_with_password(operator: Operator, password: str | None, *, json: bool) -> None:
    """Show an operator, with the password where it was made up."""
    if json:
        return print_json(as_json(operator) | {"initial_password": password})

    said = f"{operator.name} is {operator.role}"
    if operator.address:
        said += f", with Google as {operator.address}"
    err.print(f"{said}.", markup=False)
    if password is not None:
        err.print("The password is shown this once:")
        out.print(password, markup=False)
    return None
