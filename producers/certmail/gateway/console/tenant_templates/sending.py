"""*Send me this one*: a sample as it stands in the editor, through the tenant's mailbox, by a worker."""

from __future__ import annotations

import asyncio

from aiohttp import web

from certmail.gateway.console.context import CONSOLE, ConsoleContext
from certmail.gateway.console.form_fields import WrongField, of_field
from certmail.gateway.console.pages.views import show
from certmail.gateway.console.sessions.sessions import Visitor
from certmail.gateway.console.tenant_lookup import tenant_of
from certmail.gateway.console.tenant_templates.asked import home_of
from certmail.gateway.console.tenant_templates.editor import Editor
from certmail.gateway.console.tenant_templates.tenant_facts import TenantFacts
from certmail.gateway.console.texts import N_
from certmail.gateway.worker_requests import RequestState
from certmail_config.base.addresses import address
from certmail_config.base.errors import Refused, WrongUse
from certmail_config.onboarding.sample_wanted import SampleWanted
from certmail_config.onboarding.worker_requests import Wish


async def ask_for_sample(
    context: ConsoleContext,
    visitor: Visitor,
    facts: TenantFacts,
    editor: Editor,
    to: str,
    connection: str,
) -> RequestState | None:
    """Ask a worker for it; gives how far that has come.

    Raises WrongField for what is typed beside it, HTTPTooManyRequests, RedisError.
    """
    with of_field("to"):
        checked = address(to, "the recipient")
    found = next((each for each in facts.connections if each.id == connection), None)
    if found is None:
        raise WrongField(
            "connection",
            WrongUse("no_mailbox", N_("No mailbox of this tenant works by that name.")),
        )

    context.templates.count_sample(visitor.csrf)
    await asyncio.to_thread(context.space.require)
    view = editor.view
    document = editor.document.written()
    wanted = SampleWanted(checked, view.kind, view.locale, view.sample, document)

    asked = await asyncio.to_thread(
        context.requester.ask,
        facts.tenant.id,
        found.id,
        Wish.SAMPLE,
        by=visitor.actor,
        sample=wanted,
    )
    return await asyncio.to_thread(context.requester.look, asked.id)


async def sample(request: web.Request, visitor: Visitor) -> web.Response:
    """What became of a sample."""
    context, tenant = request.app[CONSOLE], request.match_info["tenant"]
    found = await asyncio.to_thread(tenant_of, context, tenant)
    answer = await asyncio.to_thread(context.requester.look, request.match_info["id"])
    asked = answer.worker_request if answer is not None else None
    if asked is None or asked.tenant != tenant or asked.wish is not Wish.SAMPLE:
        raise Refused(
            "unknown_sample", N_("Nothing is known of this sample any more."), N_("Send another.")
        )

    values = {"tenant": found, "answer": answer, "home": home_of(visitor, tenant)}
    return await show(request, visitor, "templates_sample.html", values)
