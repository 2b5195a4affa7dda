"""Operators: accounts that certmail did not write, and a way in that names nobody."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Engine

from certmail_config.crypto.vault import Vault
from certmail_config.settings import Settings
from certmail_config.sql.operators.rows import list_operators, names_of_operators
from certmail_worker.doctor.checks.findings import Finding, Severity

CHECK = "operators"


def operators(engine: Engine, vault: Vault | None, settings: Settings) -> Iterator[Finding]:
    """What is wrong with who may sign in to the console; nothing where nobody has an account."""
    if vault is None:
        return
    with engine.connect() as db:
        names = names_of_operators(db)
        known = list_operators(db, vault)
    if not names:
        return

    strange = sorted(names - {each.name for each in known})
    if strange:
        yield Finding(
            CHECK,
            Severity.ERROR,
            f"The operators {', '.join(strange)} were not written by certmail, or need a vault key that is not there; they let nobody in.",
            "See who can write to the database; `certmail operators remove` takes one out, `certmail operators add` makes one anew.",
        )
    if settings.operator_password is not None:
        yield Finding(
            CHECK,
            Severity.WARNING,
            "CERTMAIL_OPERATOR_PASSWORD still lets in whoever knows it, as an admin without a name.",
            "Unset it where all who need it have an account.",
        )
    if known and not strange:
        yield Finding(CHECK, Severity.OK, f"{len(known)} have accounts for the console.")
