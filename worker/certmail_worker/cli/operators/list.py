"""`certmail operators list`."""

from __future__ import annotations

from certmail_config.admin.admin import open_admin
from certmail_config.admin.operators.accounts import list_operators
from certmail_config.settings import Settings
from certmail_worker.cli.operators.options import as_json
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, print_json, table


def list_(*, json: Json = False) -> None:
    """List the operators, with their roles."""
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        rows = [as_json(each) for each in list_operators(admin)]
    if json:
        return print_json({"operators": rows})

    shown = ("name", "role", "state", "address", "created_at")
    table(shown, [[row[name] for name in shown] for row in rows])
    return None
