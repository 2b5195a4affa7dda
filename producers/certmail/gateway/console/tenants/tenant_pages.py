"""The pages of tenants, and the form of a connection's limits."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from aiohttp import web

from certmail.gateway.access_log import note
from certmail.gateway.console.context import CONSOLE
from certmail.gateway.console.form_fields import WrongField, values_of
from certmail.gateway.console.pages.views import show
from certmail.gateway.console.record import words
from certmail.gateway.console.sessions.sessions import Notice, Visitor
from certmail.gateway.console.tenants.tenant_details import read_tenant
from certmail.gateway.console.tenants.tenant_list import list_tenants
from certmail.gateway.console.texts import N_
from certmail_config.base.errors import Refused, WrongUse
from certmail_config.tenants.models import BOUNDS, Connection

LIMITS: Final[Mapping[str, tuple[str, str]]] = {
    "units_per_minute": (
        N_("Quota units a minute of the mailbox"),
        N_("A mail costs 100. Google allows 6,000, and 15,000 in older projects."),
    ),
    "in_flight": (N_("Requests at once to the mailbox"), N_("Google names no limit; 4 is good.")),
    "per_day": (
        N_("Mails in 24 hours of the mailbox"),
        N_("Google allows 2,000, and 500 to trial accounts."),
    ),
    "project_units_per_minute": (N_("Quota units a minute of the Google Cloud project"), ""),
    "project_units_per_day": (N_("Quota units a day of the Google Cloud project"), ""),
    "warm_up_days": (
        N_("Days of warming up"),
        N_("For so long a mailbox that is new sends less, more each day; 0 is off."),
    ),
}
"""Name of each limit in the form, and a hint."""


async def tenants(request: web.Request, visitor: Visitor) -> web.Response:
    """All tenants."""
    wanted = request.query.get("q", "")[:100]
    found = await asyncio.to_thread(list_tenants, request.app[CONSOLE], wanted)
    return await show(request, visitor, "tenants.html", {"listing": found, "wanted": wanted})


async def tenant(request: web.Request, visitor: Visitor) -> web.Response:
    """One tenant: what waits, what became of its campaigns, its limits."""
    return await _page(request, visitor)


async def limits(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Change the limits of one of its connections: those that differ from what they were."""
    context, named = request.app[CONSOLE], request.match_info["tenant"]
    connection = await asyncio.to_thread(
        _of_tenant, context.admin.connection, request.match_info["id"], named
    )
    typed = values_of(await request.post(), *BOUNDS)
    try:
        changes = _changes(typed, asdict(connection.limits))
    except WrongField as error:
        wrong = {"id": connection.id, "typed": typed, "error": error}
        return await _page(request, visitor, wrong, status=400)

    notice = Notice(good=True, message=N_("Nothing was different: the limits stay as they are."))
    if changes:
        admin = context.admin.acting_as(visitor.actor)
        await asyncio.to_thread(admin.change_limits, connection.id, changes)
        message = N_("The limits are changed. They count from the next reminder on.")
        notice = Notice(good=True, message=message)

    await asyncio.to_thread(context.sessions.tell, visitor, notice)
    raise web.HTTPSeeOther(f"/console/tenants/{connection.tenant}")


async def _page(
    request: web.Request,
    visitor: Visitor,
    wrong: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
) -> web.Response:
    found = await asyncio.to_thread(read_tenant, request.app[CONSOLE], request.match_info["tenant"])
    note(request, tenant=found.tenant.id)
    values = {
        "found": found,
        "wrong": wrong or {"id": "", "typed": {}, "error": None},
        "limits": LIMITS,
        "bounds": BOUNDS,
        "words": words,
    }
    return await show(request, visitor, "tenant.html", values, status=status)


def _of_tenant(read: Any, id_: str, tenant: str) -> Connection:
    found: Connection = read(id_)
    if "/" in id_ or found.tenant != tenant:
        raise Refused("unknown_connection", "There is no such connection.", "Go back to the list.")
    return found


def _changes(typed: Mapping[str, str], present: Mapping[str, int]) -> dict[str, int]:
    """The limits that differ; raises WrongField."""
    changes = {}

    for name, (minimum, maximum) in BOUNDS.items():
        text = typed[name].replace(",", "").replace(" ", "")
        value = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else -1
        if not minimum <= value <= maximum:
            message = f"A whole number from {minimum:,} to {maximum:,} is wanted."
            raise WrongField(name, WrongUse("invalid_limit", message))
        if value != present[name]:
            changes[name] = value

    return changes
