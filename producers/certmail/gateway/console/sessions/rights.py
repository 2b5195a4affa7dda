"""The rights of an operator at this moment: who a visit is, and what the role allows.

Asked anew for each request, so that a change counts at once. Everything here blocks.
"""

from __future__ import annotations

import hmac
from dataclasses import replace

from certmail.gateway.console.sessions.sessions import BY_THE_PASSWORD, Visitor, prove
from certmail_config.admin.admin import Admin
from certmail_config.operators.roles import OperatorRole
from certmail_config.sql.operators.rows import find_operator, list_operators


def with_rights(admin: Admin, visitor: Visitor) -> Visitor | None:
    """The visitor with name and role; None where the visit is over. Raises StoresUnreachable."""
    if visitor.account:
        return _of_account(admin, visitor)
    if visitor.address:
        return _of_domain(admin, visitor)
    return _of_password(admin, visitor)


def role_of_domain(admin: Admin, address: str) -> OperatorRole | None:
    """The role that the domain of an address gives, where none has an account of that address."""
    role = admin.settings.operator_domain_role
    if role is None or address.rpartition("@")[2] not in admin.settings.operator_domains:
        return None

    with admin.db() as db:
        known = any(each.address == address for each in list_operators(db, admin.vault))
    return None if known else OperatorRole(role)


def _of_account(admin: Admin, visitor: Visitor) -> Visitor | None:
    with admin.db() as db:
        found = find_operator(db, admin.vault, id_=visitor.account)
    if found is None or found.disabled or found.generation != visitor.generation:
        return None
    return replace(visitor, who=found.name, role=found.role)


def _of_domain(admin: Admin, visitor: Visitor) -> Visitor | None:
    role = role_of_domain(admin, visitor.address)
    return None if role is None else replace(visitor, who=visitor.address, role=role)


def _of_password(admin: Admin, visitor: Visitor) -> Visitor | None:
    password = admin.settings.operator_password
    if password is None:
        return None

    proof = prove(visitor.secret, password.get_secret_value())
    if not hmac.compare_digest(visitor.proof, proof):
        return None
    return replace(visitor, who=BY_THE_PASSWORD, role=OperatorRole.ADMIN)
