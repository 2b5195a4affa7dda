"""The pages of webhooks that only show, and the forms that add one or change it."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from certmail.gateway.console.context import CONSOLE
from certmail.gateway.console.form_fields import WrongField
from certmail.gateway.console.pages.views import show
from certmail.gateway.console.sessions.sessions import Notice, Visitor
from certmail.gateway.console.texts import N_
from certmail.gateway.console.webhooks.webhook_details import read_webhook, still_signs_until
from certmail.gateway.console.webhooks.webhook_form import (
    WebhookForm,
    at_its_field,
    from_endpoint,
    from_form,
)
from certmail.gateway.console.webhooks.webhook_list import PATH, list_webhooks
from certmail_config.admin.webhooks.changing import change_webhook
from certmail_config.admin.webhooks.endpoints import MAX_NAME, add_webhook, get_webhook
from certmail_config.admin.webhooks.running import OVERLAP_HOURS
from certmail_config.sql.webhooks.endpoints import Endpoint
from certmail_config.webhooks.catalogue import SUBSCRIBABLE
from certmail_config.webhooks.targets import MAX_URL

HOURS: Final = {
    OVERLAP_HOURS: N_("for a day"),
    24 * 7: N_("for a week"),
    0: N_("no more: it is known to somebody"),
}
"""For how long the secret before may sign as well."""


async def webhooks(request: web.Request, visitor: Visitor) -> web.Response:
    """All webhooks, or those that are told of a tenant."""
    tenant, after = (_given(request, name) for name in ("tenant", "after"))
    found = await asyncio.to_thread(list_webhooks, request.app[CONSOLE], visitor, tenant, after)
    return await show(request, visitor, "webhooks.html", {"listing": found})


async def webhook(request: web.Request, visitor: Visitor) -> web.Response:
    """One webhook: how it is and why, what it was last sent, and what may be done."""
    return await webhook_page(request, visitor)


async def webhook_page(
    request: web.Request, visitor: Visitor, wrong: WrongField | None = None, *, status: int = 200
) -> web.Response:
    """The same, with what is `wrong` in a form of it."""
    found = await asyncio.to_thread(read_webhook, request.app[CONSOLE], visitor, id_of(request))
    values = {"found": found, "hours": HOURS, "error": wrong}
    return await show(request, visitor, "webhook.html", values, status=status)


async def new_page(request: web.Request, visitor: Visitor) -> web.Response:
    """The form of a webhook that is not there yet; a tenant's page names the tenant."""
    return await _form(request, visitor, WebhookForm(tenants=_given(request, "tenant")), None)


async def new(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Make one, and show its secret this once."""
    typed, admin = from_form(await request.post()), request.app[CONSOLE].admin
    try:
        with at_its_field():
            made, secret = await asyncio.to_thread(
                add_webhook,
                admin.acting_as(visitor.actor),
                typed.url,
                tenants=typed.whose(),
                types=typed.types,
                name=typed.called(),
            )
    except WrongField as error:
        return await _form(request, visitor, typed, None, error)
    return await secret_page(request, visitor, made, secret, is_new=True)


async def change_page(request: web.Request, visitor: Visitor) -> web.Response:
    """The form of one that is there."""
    found = await asyncio.to_thread(get_webhook, request.app[CONSOLE].admin, id_of(request))
    return await _form(request, visitor, from_endpoint(found), found)


async def change(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Change its address, types and name to those typed."""
    context, typed = request.app[CONSOLE], from_form(await request.post())
    found = await asyncio.to_thread(get_webhook, context.admin, id_of(request))
    try:
        with at_its_field():
            changed = await asyncio.to_thread(
                change_webhook,
                context.admin.acting_as(visitor.actor),
                found.id,
                url=typed.url,
                types=typed.types,
                name=typed.called(),
            )
    except WrongField as error:
        return await _form(request, visitor, typed, found, error)

    message = N_("Nothing was different: it stays as it is.")
    if changed != found:
        message = N_("It is changed.")
    if changed.url != found.url:
        message = N_("It is changed. What waits goes to the new address; send a trial there.")
    await asyncio.to_thread(context.sessions.tell, visitor, Notice(good=True, message=message))
    raise web.HTTPSeeOther(f"{PATH}/{found.id}")


async def removal(request: web.Request, visitor: Visitor) -> web.Response:
    """The question before removing."""
    found = await asyncio.to_thread(read_webhook, request.app[CONSOLE], visitor, id_of(request))
    return await show(request, visitor, "webhook_removal.html", {"found": found})


async def secret_page(
    request: web.Request, visitor: Visitor, endpoint: Endpoint, secret: str, *, is_new: bool
) -> web.Response:
    """The secret of a webhook, shown this once."""
    values = {
        "endpoint": endpoint,
        "secret": secret,
        "is_new": is_new,
        "until": still_signs_until(endpoint),
    }
    return await show(request, visitor, "webhook_secret.html", values)


def id_of(request: web.Request) -> str:
    """Which webhook the address of a page names."""
    return request.match_info["webhook"]


async def _form(
    request: web.Request,
    visitor: Visitor,
    typed: WebhookForm,
    endpoint: Endpoint | None,
    error: WrongField | None = None,
) -> web.Response:
    values = {
        "typed": typed,
        "endpoint": endpoint,
        "error": error,
        "types": SUBSCRIBABLE,
        "max_url": MAX_URL,
        "max_name": MAX_NAME,
    }
    status = 400 if error else 200
    return await show(request, visitor, "webhook_form.html", values, status=status)


def _given(request: web.Request, name: str) -> str:
    """What the address of a page says; nothing, where it cannot be any id."""
    text = request.query.get(name, "").strip()
    return text if len(text) <= 63 and text.isprintable() else ""
