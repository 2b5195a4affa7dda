"""The list of operators, the form that adds one, and the page of one."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from aiohttp import web

from certmail.gateway.console.context import CONSOLE, ConsoleContext
from certmail.gateway.console.form_fields import WrongField, values_of
from certmail.gateway.console.pages.views import show
from certmail.gateway.console.sessions.sessions import Visitor
from certmail.gateway.console.texts import N_
from certmail_config.admin.operators.accounts import add_operator, list_operators
from certmail_config.base.errors import Refused, WrongUse
from certmail_config.operators.operator import Operator
from certmail_config.operators.passwords import new_password
from certmail_config.operators.roles import OperatorRole
from certmail_config.sql.operators.rows import get_operator

ROLES: Final = {
    OperatorRole.VIEWER: (N_("Viewer"), N_("Reads; reviewers’ addresses are hidden in lists.")),
    OperatorRole.OPERATOR: (N_("Operator"), N_("Also acts on reminders and connections.")),
    OperatorRole.ADMIN: (
        N_("Admin"),
        N_("Does everything: also tenants, keys, templates, webhooks and operators."),
    ),
}
"""Name and meaning of each role."""
_NAME: Final = N_("A name has letters, digits, dots, hyphens and underscores, 63 at most.")
_WRONG: Final = {
    "invalid_name": ("name", _NAME),
    "operator_exists": ("name", N_("There is an operator of this name already.")),
    "invalid_address": ("address", N_("This is not an email address.")),
    "address_taken": ("address", N_("This is the address of another operator.")),
    "missing_option": ("address", N_("Without a password, an address is needed to sign in with.")),
}
"""The field in which something is wrong, by the code of the error, and what is said there."""


async def operators(request: web.Request, visitor: Visitor) -> web.Response:
    """All operators, and the form for another."""
    return await _list(request, visitor, {"password": "1"}, None)


async def add(request: web.Request, visitor: Visitor) -> web.Response:
    """Make an account; its password is made up, and shown this once."""
    context = request.app[CONSOLE]
    form = await request.post()
    typed = values_of(form, "name", "address", "role", "password")
    admin = context.admin.acting_as(visitor.actor)
    password = new_password() if typed["password"] or not context.by_google else None

    try:
        made = await asyncio.to_thread(
            add_operator,
            admin,
            typed["name"],
            role_of(typed["role"]),
            password=password,
            address=typed["address"],
        )
    except (WrongUse, Refused) as error:
        return await _list(request, visitor, typed, of_form(error), status=400)

    return await show_password(request, visitor, made, password)


async def operator(request: web.Request, visitor: Visitor) -> web.Response:
    """One operator: who it is, and what may be changed."""
    return await operator_page(request, visitor, None)


async def operator_page(
    request: web.Request,
    visitor: Visitor,
    error: WrongUse | Refused | None,
    *,
    status: int = 200,
) -> web.Response:
    """The same, with what is wrong with what was sent."""
    context = request.app[CONSOLE]
    found = await asyncio.to_thread(operator_named, context, request.match_info["name"])
    values = {
        "operator": found,
        "oneself": found.id == visitor.account,
        "roles": ROLES,
        "error": error,
        "by_google": context.by_google,
    }
    return await show(request, visitor, "operator.html", values, status=status)


async def show_password(
    request: web.Request, visitor: Visitor, made: Operator, password: str | None
) -> web.Response:
    """Say that it is done, and the password, if one was made up."""
    values = {"operator": made, "password": password, "roles": ROLES}
    return await show(request, visitor, "operator_password.html", values)


def operator_named(context: ConsoleContext, name: str) -> Operator:
    """The operator of an address of a page; raises Refused. Blocks."""
    with context.admin.db() as db:
        return get_operator(db, context.admin.vault, name)


def role_of(text: str) -> OperatorRole:
    """The role that was chosen; raises WrongField."""
    try:
        return OperatorRole(text)
    except ValueError:
        raise WrongField("role", WrongUse("missing_role", N_("Choose a role."))) from None


def of_form(error: WrongUse | Refused) -> WrongUse | Refused:
    """The error at the field in which something is wrong; the same where it is about none."""
    if isinstance(error, WrongField) or error.code not in _WRONG:
        return error
    field, message = _WRONG[error.code]
    wrong = WrongField(field, WrongUse(error.code, message))
    wrong.message, wrong.remedy = message, ""
    return wrong


async def _list(
    request: web.Request,
    visitor: Visitor,
    typed: dict[str, Any],
    error: WrongUse | Refused | None,
    *,
    status: int = 200,
) -> web.Response:
    context = request.app[CONSOLE]
    found = await asyncio.to_thread(list_operators, context.admin)
    values = {
        "operators": found,
        "roles": ROLES,
        "typed": {"name": "", "address": "", "role": "", "password": "", **typed},
        "error": error,
        "by_google": context.by_google,
        "common_password": context.admin.settings.operator_password is not None,
    }
    return await show(request, visitor, "operators.html", values, status=status)
