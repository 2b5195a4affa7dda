"""What is done with operators' accounts; each step is on record."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection as Db

from certmail_config.admin.admin import Admin
from certmail_config.base.addresses import address as address_of
from certmail_config.base.addresses import recorded_address
from certmail_config.base.errors import Refused, WrongUse
from certmail_config.base.ids import uuid7
from certmail_config.ledger import Act
from certmail_config.operators.operator import Operator, check_operator_name
from certmail_config.operators.passwords import check_password, hash_password
from certmail_config.operators.roles import OperatorRole
from certmail_config.sql.operators import rows as operators


def add_operator(
    admin: Admin, name: str, role: OperatorRole, *, password: str | None, address: str = ""
) -> Operator:
    """Make an account; without a `password` one signs in with Google, at this `address`.

    Raises Refused for a name or an address that is somebody's, WrongUse.
    """
    if password is None and not address:
        message = "An operator without a password and without an address could not sign in."
        raise WrongUse("missing_option", message, "Name --address, or leave out --no-password.")

    now = datetime.now(UTC)
    made = Operator(
        uuid7(int(time.time() * 1000)),
        check_operator_name(name),
        role,
        now,
        None if password is None else hash_password(check_password(password)),
        _address(address),
    )
    with admin.db() as db:
        _check_address(admin, db, made)
        operators.add_operator(db, made, admin.vault)

    admin.record(Act.OPERATOR_ADDED, reason=f"{made.name}, {made.role}")
    return made


def list_operators(admin: Admin) -> list[Operator]:
    """All that there are, by name."""
    with admin.db() as db:
        return operators.list_operators(db, admin.vault)


def change_operator(
    admin: Admin, name: str, *, role: OperatorRole | None = None, address: str | None = None
) -> Operator:
    """Change role or Google address, at once: sessions go on under the new role.

    Those of another address end. Raises Refused, also for the last admin; WrongUse.
    """
    with admin.db() as db:
        operators.lock_operators(db)
        found = operators.get_operator(db, admin.vault, check_operator_name(name))
        changed = replace(found, role=role or found.role)
        _keep_an_admin(admin, db, found, changed)
        if address is not None:
            changed = changed.renewed(address=_address(address), sub="")
            _check_address(admin, db, changed)
        operators.save_operator(db, changed, admin.vault)

    told = str(changed.role) if role is not None else "address"
    admin.record(Act.OPERATOR_CHANGED, reason=f"{changed.name}, {told}")
    return changed


def reset_operator(admin: Admin, name: str, password: str) -> Operator:
    """Give an operator another password; all sessions end. Raises Refused, WrongUse."""
    return keep_password(admin, name, hash_password(check_password(password)))


def keep_password(admin: Admin, name: str, hashed: str) -> Operator:
    """Keep the hash of another password; all sessions end. Raises Refused."""
    with admin.db() as db:
        found = operators.get_operator(db, admin.vault, check_operator_name(name))
        changed = found.renewed(password=hashed)
        operators.save_operator(db, changed, admin.vault)

    admin.record(Act.OPERATOR_RESET, reason=changed.name)
    return changed


def switch_operator(admin: Admin, name: str, *, disabled: bool) -> Operator:
    """Let an operator in no more, and end all sessions; or let in again.

    Raises Refused, also for the last admin.
    """
    with admin.db() as db:
        operators.lock_operators(db)
        found = operators.get_operator(db, admin.vault, check_operator_name(name))
        if found.disabled is disabled:
            return found
        changed = found.renewed(disabled=disabled)
        _keep_an_admin(admin, db, found, changed)
        operators.save_operator(db, changed, admin.vault)

    what = Act.OPERATOR_DISABLED if disabled else Act.OPERATOR_ENABLED
    admin.record(what, reason=changed.name)
    return changed


def remove_operator(admin: Admin, name: str) -> None:
    """Forget an operator; sessions end, and the record keeps the name.

    Raises Refused, also for the last admin.
    """
    found = check_operator_name(name)
    with admin.db() as db:
        operators.lock_operators(db)
        _keep_an_admin(admin, db, operators.find_operator(db, admin.vault, name=found), None)
        if not operators.remove_operator(db, found):
            remedy = "See `certmail operators list`."
            raise Refused("unknown_operator", f"There is no operator {found!r}.", remedy)

    admin.record(Act.OPERATOR_REMOVED, reason=found)


def rehash(admin: Admin, operator: Operator, hashed: str) -> None:
    """Keep the hash of the same password at today's cost, unless something changed meanwhile."""
    with admin.db() as db:
        found = operators.find_operator(db, admin.vault, id_=operator.id)
        if found == operator:
            operators.save_operator(db, replace(found, password=hashed), admin.vault)


def operator_of_account(admin: Admin, sub: str, address: str) -> Operator | None:
    """The operator with this Google account, from now on with this `sub` only.

    Gives also one that is disabled; None where nobody has this address. Raises Refused where the
    address has become another account's.
    """
    with admin.db() as db:
        known = operators.list_operators(db, admin.vault)
        found = next((each for each in known if each.address == address), None)
        if found is None or found.sub == sub:
            return found
        if found.sub:
            raise Refused("another_account", "This address was another Google account's before.")
        pinned = replace(found, sub=sub)
        operators.save_operator(db, pinned, admin.vault)
    return pinned


def _keep_an_admin(admin: Admin, db: Db, before: Operator | None, after: Operator | None) -> None:
    """Raises Refused where nobody could sign in as an admin any more."""
    if not _is_admin(before) or _is_admin(after) or admin.settings.operator_password is not None:
        return

    known = operators.list_operators(db, admin.vault)
    if not any(_is_admin(each) for each in known if each != before):
        name = before.name if before is not None else ""
        message = f"{name} is the last admin: nobody could look after the operators any more."
        raise Refused("last_admin", message, "Make somebody else an admin first.")


def _is_admin(operator: Operator | None) -> bool:
    return operator is not None and operator.role is OperatorRole.ADMIN and not operator.disabled


def _address(given: str) -> str:
    return recorded_address(address_of(given.strip(), "--address")) if given.strip() else ""


def _check_address(admin: Admin, db: Db, operator: Operator) -> None:
    """Raises Refused where the address is another operator's."""
    if not operator.address:
        return
    for each in operators.list_operators(db, admin.vault):
        if each.address == operator.address and each.id != operator.id:
            raise Refused(
                "address_taken",
                f"{operator.address} is the address of the operator {each.name!r}.",
                "See `certmail operators list`.",
            )
