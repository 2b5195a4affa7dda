"""`certmail operators role|disable|enable|remove`: each counts from the next page on."""

from __future__ import annotations

from typing import Annotated

import typer

from certmail_config.admin.admin import open_admin
from certmail_config.admin.operators.accounts import (
    change_operator,
    remove_operator,
    switch_operator,
)
from certmail_config.operators.operator import Operator
from certmail_config.operators.roles import OperatorRole
from certmail_config.settings import Settings
from certmail_worker.cli.operators.options import Name, as_json
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, out, print_json


def change_role(
    name: Name,
    role: Annotated[OperatorRole, typer.Argument(help="What they may do from now on.")],
    *,
    address: Annotated[
        str | None,
        typer.Option(help="Also change the address of the Google account; empty: none."),
    ] = None,
    json: Json = False,
) -> None:
    """Change what an operator may do, sessions that are under way included."""
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        changed = change_operator(admin, name, role=role, address=address)
    _show(changed, f"{changed.name} is {changed.role} from now on.", json=json)


def disable(name: Name, *, json: Json = False) -> None:
    """Let an operator in no more; all sessions end."""
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        changed = switch_operator(admin, name, disabled=True)
    _show(changed, f"{changed.name} is disabled; all sessions have ended.", json=json)


def enable(name: Name, *, json: Json = False) -> None:
    """Let a disabled operator in again."""
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        changed = switch_operator(admin, name, disabled=False)
    _show(changed, f"{changed.name} may sign in again.", json=json)


def remove(name: Name, *, json: Json = False) -> None:
    """Forget an operator; all sessions end. What was done stays on record, with the name."""
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        remove_operator(admin, name)
    if json:
        return print_json({"name": name.strip().lower(), "removed": True})
    out.print(f"{name.strip().lower()} is removed.", markup=False)
    return None


def _show(operator: Operator, said: str, *, json: bool) -> None:
    if json:
        print_json(as_json(operator))
    else:
        out.print(said, markup=False)
