"""What an admin changes of an operator: each counts from the next page on, and is on record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from aiohttp import web

from certmail.gateway.console.context import CONSOLE
from certmail.gateway.console.form_fields import values_of
from certmail.gateway.console.operators.operator_pages import (
    of_form,
    operator_named,
    operator_page,
    role_of,
    show_password,
)
from certmail.gateway.console.sessions.sessions import Notice, Visitor
from certmail.gateway.console.texts import N_
from certmail_config.admin.operators.accounts import (
    change_operator,
    keep_password,
    remove_operator,
    switch_operator,
)
from certmail_config.base.errors import Refused, WrongUse
from certmail_config.operators.operator import Operator
from certmail_config.operators.passwords import new_password

PATH = "/console/operators"


async def change_role(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Change role and Google address: those that differ from what they were."""
    context = request.app[CONSOLE]
    found = await asyncio.to_thread(operator_named, context, request.match_info["name"])
    typed = values_of(await request.post(), "role", "address")
    address = typed["address"] if context.by_google else found.address

    try:
        role = role_of(typed["role"])
        changes: dict[str, Any] = {} if role is found.role else {"role": role}
        if address.lower() != found.address:
            changes["address"] = address
        if changes:
            admin = context.admin.acting_as(visitor.actor)
            await asyncio.to_thread(change_operator, admin, found.name, **changes)
    except (WrongUse, Refused) as error:
        return await operator_page(request, visitor, of_form(error), status=400)

    said = (
        N_("Changed. It counts from the next page on.") if changes else N_("Nothing was different.")
    )
    return await _told(request, visitor, said, f"{PATH}/{quote(found.name)}")


async def reset_password(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Give an operator another password, made up and shown this once; all sessions end."""
    context = request.app[CONSOLE]
    found = await _somebody_else(request, visitor)
    password = new_password()
    hashed = await context.passwords.hash(password)
    admin = context.admin.acting_as(visitor.actor)
    changed = await asyncio.to_thread(keep_password, admin, found.name, hashed)
    return await show_password(request, visitor, changed, password)


async def disable(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Let an operator in no more; all sessions end."""
    said = N_("Disabled: all sessions have ended.")
    return await _switch(request, visitor, said, disabled=True)


async def enable(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Let a disabled operator in again."""
    return await _switch(request, visitor, N_("Enabled: signing in works again."), disabled=False)


async def remove(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Forget an operator; what was done stays on record, with the name."""
    found = await _somebody_else(request, visitor)
    if failed := await _carry_out(request, visitor, remove_operator, found.name):
        return failed
    return await _told(request, visitor, N_("The operator is removed."), PATH)


async def _switch(
    request: web.Request, visitor: Visitor, said: str, *, disabled: bool
) -> web.StreamResponse:
    found = await _somebody_else(request, visitor)
    if failed := await _carry_out(request, visitor, switch_operator, found.name, disabled=disabled):
        return failed
    return await _told(request, visitor, said, f"{PATH}/{quote(found.name)}")


async def _somebody_else(request: web.Request, visitor: Visitor) -> Operator:
    """The operator who is meant; raises Refused where that is whoever asks."""
    context = request.app[CONSOLE]
    found = await asyncio.to_thread(operator_named, context, request.match_info["name"])
    if found.id == visitor.account:
        raise Refused(
            "own_account",
            N_("This is your own account: nobody shuts out themselves."),
            N_("Ask another admin. Your password you change under “Your account”."),
        )
    return found


async def _carry_out(
    request: web.Request, visitor: Visitor, act: Callable[..., Any], name: str, **how: Any
) -> web.Response | None:
    """Do it; gives the page that says why, where it is refused."""
    admin = request.app[CONSOLE].admin.acting_as(visitor.actor)
    try:
        await asyncio.to_thread(act, admin, name, **how)
    except Refused as error:
        return await operator_page(request, visitor, error, status=409)
    return None


async def _told(request: web.Request, visitor: Visitor, said: str, path: str) -> web.StreamResponse:
    notice = Notice(good=True, message=said)
    await asyncio.to_thread(request.app[CONSOLE].sessions.tell, visitor, notice)
    raise web.HTTPSeeOther(path)
