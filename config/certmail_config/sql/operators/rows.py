"""Operators in SQL, which is where they are looked up; what matters of them is sealed."""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy import Connection as Db
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from certmail_config.base.errors import Refused, SealBroken
from certmail_config.crypto.vault import Vault
from certmail_config.operators.operator import Operator, open_operator, seal_operator
from certmail_config.sql import tables

log = logging.getLogger(__name__)

_TABLE = tables.operators


def add_operator(db: Db, operator: Operator, vault: Vault) -> None:
    """Keep a new operator; raises Refused where there is one of that name."""
    row = {"id": operator.id, "name": operator.name, "created_at": operator.created_at}
    try:
        db.execute(insert(_TABLE).values(**row, sealed=seal_operator(operator, vault)))
    except IntegrityError:
        raise Refused(
            "operator_exists",
            f"There is an operator {operator.name!r} already.",
            "Choose another name, or see `certmail operators list`.",
        ) from None


def names_of_operators(db: Db) -> frozenset[str]:
    """The names in all rows, whoever wrote them."""
    return frozenset(db.execute(select(_TABLE.c.name)).scalars())


def list_operators(db: Db, vault: Vault) -> list[Operator]:
    """All that are certmail's own, by name."""
    rows = db.execute(select(_TABLE).order_by(_TABLE.c.name))
    found = (_operator(row.id, row.name, row.created_at, row.sealed, vault) for row in rows)
    return [each for each in found if each is not None]


def find_operator(db: Db, vault: Vault, *, name: str = "", id_: str = "") -> Operator | None:
    """One by name or id; None for nobody, and for a row that certmail has not written."""
    where = _TABLE.c.id == id_ if id_ else _TABLE.c.name == name
    row = db.execute(select(_TABLE).where(where)).one_or_none()
    if row is None:
        return None
    return _operator(row.id, row.name, row.created_at, row.sealed, vault)


def get_operator(db: Db, vault: Vault, name: str) -> Operator:
    """One by name; raises Refused."""
    found = find_operator(db, vault, name=name)
    if found is None:
        remedy = "See `certmail operators list`."
        raise Refused("unknown_operator", f"There is no operator {name!r}.", remedy)
    return found


def any_operator(db: Db) -> bool:
    """Whether there is any at all."""
    return db.execute(select(_TABLE.c.id).limit(1)).first() is not None


def lock_operators(db: Db) -> None:
    """Let nobody else change any until this transaction ends; SQLite has one writer anyway."""
    db.execute(select(_TABLE.c.id).with_for_update())


def save_operator(db: Db, operator: Operator, vault: Vault) -> None:
    """Write a changed operator."""
    sealed = seal_operator(operator, vault)
    db.execute(update(_TABLE).where(_TABLE.c.id == operator.id).values(sealed=sealed))


def remove_operator(db: Db, name: str) -> bool:
    """Forget an operator, whoever wrote the row; says whether there was one."""
    return db.execute(delete(_TABLE).where(_TABLE.c.name == name)).rowcount == 1


def _operator(
    id_: str, name: str, created_at: datetime, sealed: bytes, vault: Vault
) -> Operator | None:
    """The operator of a row, if certmail has written it; else that is said in the log."""
    try:
        found = open_operator(id_, created_at, sealed, vault)
    except SealBroken as broken:
        log.error("operator_not_written_by_certmail", extra={"operator": id_, "code": broken.code})  # noqa: TRY400 - its code says it all
        return None
    if found.name != name:
        log.error(
            "operator_not_written_by_certmail", extra={"operator": id_, "code": "another_name"}
        )
        return None
    return found
