"""`certmail vault` and `certmail db`."""

from __future__ import annotations

import typer

from certmail_config.settings import Settings
from certmail_config.sql.engine import open_database, upgrade
from certmail_config.stores import database_url, new_vault_key
from certmail_worker.cli.output import Json, err, out, print_json


def register(app: typer.Typer) -> None:
    """Add the commands."""
    vault = typer.Typer(no_args_is_help=True, help="The keys that private keys and tokens are sealed with.")
    vault.command("keygen")(keygen)
    vault.callback()(lambda: None)  # a group, although it has one command so far
    app.add_typer(vault, name="vault")
    database = typer.Typer(no_args_is_help=True, help="The SQL record.")
    database.command("upgrade")(db_upgrade)
    database.callback()(lambda: None)  # as above
    app.add_typer(database, name="db")


def keygen(*, json: Json = False) -> None:
    """Print a new key for CERTMAIL_VAULT_KEYS; it is shown once and stored nowhere."""
    key = new_vault_key()
    if json:
        return print_json({"key": key})
    out.print(key, markup=False)
    return None


def db_upgrade(*, json: Json = False) -> None:
    """Bring the tables of CERTMAIL_DATABASE_URL to this version's form."""
    engine = open_database(database_url(Settings.from_env()))
    upgrade(engine)
    engine.dispose()
    if json:
        return print_json({"ok": True})
    err.print("The database is up to date.")
    return None
