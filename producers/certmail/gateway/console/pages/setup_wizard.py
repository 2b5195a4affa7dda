"""The set-up of a connection, in steps: for whom, which kind, and a service account's addresses."""

from __future__ import annotations

import asyncio
from secrets import token_hex
from typing import Any
from urllib.parse import quote

from aiohttp import web

from certmail.gateway.console.context import CONSOLE, ConsoleContext
from certmail.gateway.console.form_fields import WrongField, of_field, values_of
from certmail.gateway.console.pages.connection_page import connection_of
from certmail.gateway.console.pages.views import connection_page, show
from certmail.gateway.console.sessions.sessions import Notice, Visitor
from certmail.gateway.console.tenant_lookup import connection_named, tenant_of
from certmail.gateway.console.texts import N_
from certmail_config.admin.admin import Admin
from certmail_config.admin.corrections import correct, start_over
from certmail_config.admin.setup_links import issue
from certmail_config.base.addresses import address, service_account_address
from certmail_config.base.errors import Refused, WrongUse
from certmail_config.google.projects import service_account_in, suggest_project
from certmail_config.tenants.models import (
    DEFAULT_NAME,
    Connection,
    ConnectionState,
    GoogleLimits,
    check_name,
)

_MAX_DAYS = 3650


async def new_page(request: web.Request, visitor: Visitor) -> web.Response:
    """Ask for whom it is: a tenant that there is, or a new one."""
    return await _new(request, visitor, {})


async def new(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Make the tenant if there is none of that id, and go on to the kind."""
    context = request.app[CONSOLE]
    form = values_of(await request.post(), "tenant", "organisation", "name")
    tenant, name = form["tenant"].lower(), form["name"].lower() or DEFAULT_NAME

    try:
        await asyncio.to_thread(_check_tenant, context, visitor, tenant, form["organisation"], name)
    except (WrongUse, Refused) as error:
        return await _new(request, visitor, {**form, "error": error}, status=400)

    found = await asyncio.to_thread(connection_named, context, tenant, name)
    if found is not None and found.state is not ConnectionState.DRAFT:
        there = N_(
            "This connection already exists. For another mailbox of this tenant, give it a name of its own."
        )
        await asyncio.to_thread(context.sessions.tell, visitor, Notice(good=True, message=there))
        raise web.HTTPSeeOther(_at(visitor, found))

    raise web.HTTPSeeOther(f"{visitor.base}/set-up/{quote(tenant)}/{quote(name)}")


async def kind_page(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Ask for the kind; a connection that is set up has its page instead."""
    tenant, name = _whose(request, visitor)
    found = await asyncio.to_thread(connection_named, request.app[CONSOLE], tenant, name)
    if found is not None and found.state is not ConnectionState.DRAFT:
        raise web.HTTPSeeOther(_at(visitor, found))

    organisation = (await asyncio.to_thread(tenant_of, request.app[CONSOLE], tenant)).organisation
    can_link = request.app[CONSOLE].admin.settings.oauth_client_id is not None
    values = {"tenant": tenant, "name": name, "organisation": organisation, "can_link": can_link}
    return await show(request, visitor, "choose_kind.html", values)


async def linked(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Make a connection that an account is linked to, on its page by the button to Google."""
    tenant, name = _whose(request, visitor)
    admin = request.app[CONSOLE].admin.acting_as(visitor.actor)
    made = await asyncio.to_thread(
        admin.add_service_provider_app, tenant, name, limits=GoogleLimits()
    )
    raise web.HTTPSeeOther(_at(visitor, made))


async def account_page(request: web.Request, visitor: Visitor) -> web.Response:
    """Show the first steps at Google, and ask for what they gave."""
    return await _account(request, visitor, {})


async def account(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Make a connection with a certificate of its own."""
    tenant, name = _whose(request, visitor)
    context = request.app[CONSOLE]
    form = values_of(
        await request.post(), "project", "service_account", "mailbox", "verify", "valid_days"
    )

    try:
        admin = context.admin.acting_as(visitor.actor)
        made = await asyncio.to_thread(_add, admin, tenant, name, form)
    except WrongUse as error:
        return await _account(request, visitor, {**form, "error": error}, status=400)

    raise web.HTTPSeeOther(_at(visitor, made))


async def correction(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Change the two addresses of a connection that has not worked yet."""
    context = request.app[CONSOLE]
    form = values_of(await request.post(), "service_account", "mailbox", "verify")
    found = await asyncio.to_thread(connection_of, context, visitor, request.match_info["id"])

    try:
        service_account, mailbox = _addresses(form)
    except WrongField as error:
        return await connection_page(request, visitor, {**form, "error": error}, status=400)

    await asyncio.to_thread(
        correct,
        context.admin.acting_as(visitor.actor),
        found.id,
        service_account=service_account,
        mailbox=mailbox,
        verify=bool(form["verify"]),
    )

    saved = Notice(good=True, message=N_("Saved. Check the connection now."))
    await asyncio.to_thread(context.sessions.tell, visitor, saved)
    raise web.HTTPSeeOther(_at(visitor, found))


async def another_kind(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Go back to the choice of a kind."""
    context = request.app[CONSOLE]
    found = await asyncio.to_thread(connection_of, context, visitor, request.match_info["id"])
    await asyncio.to_thread(start_over, context.admin.acting_as(visitor.actor), found.id)
    raise web.HTTPSeeOther(f"{visitor.base}/set-up/{quote(found.tenant)}/{quote(found.name)}")


async def invite(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Make a set-up link for the tenant's administrator, and show it this once.

    The administrator chooses the kind.
    """
    tenant, name = _whose(request, visitor)
    admin = request.app[CONSOLE].admin.acting_as(visitor.actor)
    made = await asyncio.to_thread(issue, admin, tenant, name=name)
    return await show(request, visitor, "invitation.html", {"connection": None, "link": made})


async def _new(
    request: web.Request, visitor: Visitor, values: dict[str, Any], *, status: int = 200
) -> web.Response:
    given = {
        "tenant": request.query.get("tenant", "")[:63],
        "organisation": "",
        "name": "",
        "error": None,
        **values,
    }
    return await show(request, visitor, "new_connection.html", given, status=status)


async def _account(
    request: web.Request, visitor: Visitor, values: dict[str, Any], *, status: int = 200
) -> web.Response:
    tenant, name = _whose(request, visitor)
    context = request.app[CONSOLE]
    organisation = (await asyncio.to_thread(tenant_of, context, tenant)).organisation

    blank = {
        "service_account": "",
        "mailbox": "",
        "verify": "",
        "error": None,
        "consoles": context.admin.settings.consoles,
        "project": suggest_project(tenant, token_hex(2)),
        "valid_days": str(context.admin.settings.certificate_days),
    }
    given = {"tenant": tenant, "name": name, "organisation": organisation, **blank, **values}
    return await show(request, visitor, "service-account.html", given, status=status)


def _check_tenant(
    context: ConsoleContext, visitor: Visitor, tenant: str, organisation: str, name: str
) -> None:
    with of_field("tenant"):
        check_name(tenant, "tenant")
    with of_field("name"):
        check_name(name, "connection")

    try:
        tenant_of(context, tenant)
    except Refused:
        if not visitor.administers:
            raise Refused(
                "role_missing",
                N_("There is no such tenant, and only admins may add one."),
                N_("Ask an admin to add it."),
            ) from None
        context.admin.acting_as(visitor.actor).add_tenant(tenant, name=organisation)


def _add(admin: Admin, tenant: str, name: str, form: dict[str, str]) -> Connection:
    with of_field("project"):
        account = form["service_account"] or service_account_in(form["project"])
    service_account, mailbox = _addresses({**form, "service_account": account})

    days = form["valid_days"]
    with of_field("valid_days"):
        if not (days.isascii() and days.isdecimal() and 1 <= int(days[:5]) <= _MAX_DAYS):
            raise WrongUse("invalid_days", f"A certificate may be valid for 1 to {_MAX_DAYS} days.")

    return admin.add_customer_owned_app(
        tenant,
        name,
        service_account=service_account,
        mailbox=mailbox,
        limits=GoogleLimits(),
        valid_days=int(days),
        verify=bool(form["verify"]),
    )


def _addresses(form: dict[str, str]) -> tuple[str, str]:
    """The service account's and the mailbox's; raises WrongField."""
    with of_field("service_account"):
        service_account = service_account_address(form["service_account"], "The service account")
    with of_field("mailbox"):
        mailbox = address(form["mailbox"], "The mailbox")
    return service_account, mailbox


def _whose(request: web.Request, visitor: Visitor) -> tuple[str, str]:
    """The tenant and name that a page is about; raises Refused where they are not the visitor's."""
    tenant, name = request.match_info["tenant"], request.match_info["name"]
    if not visitor.is_operator and (tenant, name) != (visitor.tenant, visitor.name):
        raise Refused("unknown_connection", "There is no such connection.", "Go back.")

    check_name(name, "connection")
    return tenant, name


def _at(visitor: Visitor, connection: Connection) -> str:
    return f"{visitor.base}/connections/{connection.id}"
