"""The editors' forms: what is typed is checked, published, or sent as a sample.

A form says by its button (`do`) what is to be done with what it holds. Nothing is kept of that before
it is published, so whatever happens, the page shows it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from aiohttp import web

from certmail.gateway.console.context import CONSOLE
from certmail.gateway.console.form_fields import values_of
from certmail.gateway.console.sessions.sessions import Notice, Visitor
from certmail.gateway.console.tenant_templates import template_texts
from certmail.gateway.console.tenant_templates.asked import Asked, asked_for, facts_of, since_of
from certmail.gateway.console.tenant_templates.editing import shown, worked_out
from certmail.gateway.console.tenant_templates.sending import ask_for_sample
from certmail_config.admin.templates.publishing import publish
from certmail_config.base.errors import Refused, WrongUse
from certmail_config.templates.findings import Finding, TemplatesRefused


async def form(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Do what was asked with what is typed."""
    request.app[CONSOLE].templates.count_form(visitor.csrf)
    given = await request.post()
    asked, since = await asked_for(request, visitor, given), since_of(given)

    match given.get("do"):
        case "publish":
            return await _publish(request, asked, since)
        case "send":
            return await _send(request, asked, since)

    # Or one block is left to certmail, on this page.
    cleared = given.get("clear")
    if isinstance(cleared, str) and cleared in asked.typed:
        asked = replace(asked, typed={**asked.typed, cleared: ""})
    return await shown(request, asked, await worked_out(request, asked), since)


async def _publish(request: web.Request, asked: Asked, since: int) -> web.StreamResponse:
    context, visitor = request.app[CONSOLE], asked.visitor
    await asyncio.to_thread(context.space.require)
    admin, tenant = context.admin.acting_as(visitor.actor), asked.facts.tenant.id

    found: Sequence[Finding] = ()
    async with context.templates.turn(visitor.csrf):
        try:
            document = asked.part.put(asked.facts.document, asked.typed)
            await asyncio.to_thread(publish, admin, tenant, document, instead_of=since)
        except TemplatesRefused as refused:
            found = refused.findings
        except Refused as error:
            if error.code != "templates_changed":
                raise
        else:
            notice = Notice(good=True, message=template_texts.PUBLISHED)
            await asyncio.to_thread(context.sessions.tell, visitor, notice)
            raise web.HTTPSeeOther(f"{asked.home}/{asked.part.path}")

    if found:
        return await _refused(request, asked, since, found)
    return await _overtaken(request, asked)


async def _refused(
    request: web.Request, asked: Asked, since: int, found: Sequence[Finding]
) -> web.StreamResponse:
    """The page, with what is wrong at its place."""
    asked = _noticing(asked, template_texts.FAULTY)
    editor = await worked_out(request, asked, refused=found)
    return await shown(request, asked, editor, since, status=422)


async def _overtaken(request: web.Request, asked: Asked) -> web.StreamResponse:
    """The page, with what somebody else has published; from here on it follows that."""
    facts = await facts_of(request, asked.visitor)
    asked = _noticing(replace(asked, facts=facts), template_texts.FASTER)
    editor = await worked_out(request, asked, meanwhile=True)
    return await shown(request, asked, editor, facts.state.version, status=409, faster=True)


async def _send(request: web.Request, asked: Asked, since: int) -> web.StreamResponse:
    given = values_of(await request.post(), "to", "connection")
    editor = await worked_out(request, asked)
    if editor.faulty or editor.preview is None:
        asked = _noticing(asked, template_texts.NOT_SENT)
        return await shown(request, asked, editor, since, status=422, given=given)

    context = request.app[CONSOLE]
    try:
        answer = await ask_for_sample(context, asked.visitor, asked.facts, editor, **given)
    except WrongUse as wrong:
        return await shown(request, asked, editor, since, status=400, given=given, error=wrong)
    return await shown(request, asked, editor, since, given=given, answer=answer)


def _noticing(asked: Asked, words: str) -> Asked:
    """The same, for a visitor who is told this at the top of the page."""
    notice = Notice(good=False, message=words)
    return replace(asked, visitor=replace(asked.visitor, notice=notice))
