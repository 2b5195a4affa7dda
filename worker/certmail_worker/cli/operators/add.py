"""`certmail operators add|reset`: accounts, and their passwords."""

from __future__ import annotations

from typing import Annotated

import typer

from certmail_config.admin.admin import open_admin
from certmail_config.admin.operators.accounts import add_operator, reset_operator
from certmail_config.base.errors import WrongUse
from certmail_config.operators.roles import OperatorRole
from certmail_config.settings import Settings
from certmail_worker.cli.operators.options import FromStdin, Name, password_of, show_with_password
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json


def add(
    name: Name,
    *,
    role: Annotated[
        OperatorRole,
        typer.Option(
            help="viewer reads; operator acts on reminders and connections, too; admin does everything."
        ),
    ],
    address: Annotated[
        str, typer.Option(help="Of the Google account that this operator may sign in with.")
    ] = "",
    no_password: Annotated[
        bool, typer.Option("--no-password", help="None: sign in with Google only.")
    ] = False,
    password_stdin: FromStdin = False,
    json: Json = False,
) -> None:
    """Make an account for somebody who signs in to the console."""
    if no_password and password_stdin:
        raise WrongUse("wrong_use", "--no-password and --password-stdin exclude each other.")

    password, made_up = (None, False) if no_password else password_of(from_stdin=password_stdin)
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        made = add_operator(admin, name, role, password=password, address=address)

    show_with_password(made, password if made_up else None, json=json)


def reset(name: Name, *, password_stdin: FromStdin = False, json: Json = False) -> None:
    """Give an operator another password; all sessions end."""
    password, made_up = password_of(from_stdin=password_stdin)
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        changed = reset_operator(admin, name, password)

    show_with_password(changed, password if made_up else None, json=json)
