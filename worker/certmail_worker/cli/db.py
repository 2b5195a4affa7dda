"""`certmail db`: the tables of the SQL record."""

from __future__ import annotations

from certmail_config.settings import Settings
from certmail_config.sql.engine import open_database, upgrade
from certmail_config.stores.connect import database_url
from certmail_worker.cli.support.output import Json, err, print_json


def db_upgrade(*, json: Json = False) -> None:
    """Bring the tables of CERTMAIL_DATABASE_URL to this version's form."""
    engine = open_database(database_url(Settings.from_env()))
    upgrade(engine)
    engine.dispose()
    if json:
        return print_json({"ok": True})
    err.print("The database is up to date.")
    return None
