"""An operator: what is known of one, and the sealed form in which it lies in SQL.

Role, password and address are sealed under the vault, for the operator's id: whoever can write SQL
can remove an operator, or put back what a row once held, but can make none, nor give one another
role, nor copy one's row to another.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from certmail_config.base.errors import WrongUse
from certmail_config.crypto.vault import Vault
from certmail_config.operators.roles import OperatorRole

COLUMN: Final = "sealed"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Operator:
    """A person with an account.

    `password` is its hash, None where one signs in with Google only; `address` is that of the
    Google account, in lower case, empty for none, and `sub` Google's own name for who first signed
    in with it: an address may become somebody else's. Sessions of another `generation` are over.
    """

    id: str
    name: str
    role: OperatorRole
    created_at: datetime
    password: str | None = None
    address: str = ""
    generation: int = 1
    disabled: bool = False
    sub: str = ""

    def __repr__(self) -> str:
        """Without the hash: values end up in tracebacks."""
        return f"Operator({self.name!r}, {str(self.role)!r}, disabled={self.disabled})"

    def renewed(self, **changes: object) -> Operator:
        """The same operator, changed so that all sessions end."""
        return replace(self, generation=self.generation + 1, **changes)  # type: ignore[arg-type]  # as the caller names them


def check_operator_name(name: str) -> str:
    """The name in lower case; raises WrongUse for what cannot be one."""
    found = name.strip().lower()
    if not _NAME.fullmatch(found):
        message = f"{name!r} is no name for an operator: letters, digits, dots, hyphens and underscores, 63 at most."
        raise WrongUse("invalid_name", message, "Choose another, as in ann.smith.")
    return found


def owner_of_operator(id_: str) -> str:
    """The row that an operator's values are sealed for."""
    return f"operator/{id_}"


def seal_operator(operator: Operator, vault: Vault) -> bytes:
    """What lies in SQL of an operator, beside id, name and when it was made."""
    value = {
        "name": operator.name,
        "role": operator.role,
        "password": operator.password,
        "address": operator.address,
        "generation": operator.generation,
        "disabled": operator.disabled,
        "sub": operator.sub,
    }
    return vault.seal(json.dumps(value).encode(), owner=_place(operator.id))


def open_operator(id_: str, created_at: datetime, sealed: bytes, vault: Vault) -> Operator:
    """The operator of a row; raises SealBroken."""
    value = json.loads(vault.open(sealed, owner=_place(id_)))
    return Operator(
        id_,
        value["name"],
        OperatorRole(value["role"]),
        created_at,
        value["password"],
        value["address"],
        value["generation"],
        value["disabled"],
        value["sub"],
    )


def _place(id_: str) -> str:
    return f"{owner_of_operator(id_)}/{COLUMN}"
