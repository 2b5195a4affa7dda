"""The editors' pages: a tenant's texts, and its brand; looked at, checked, published, sent as a sample.

A form says by its button (`do`) what is to be done with what it holds: nothing is kept of it before
it is published, so whatever happens, its page shows it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from aiohttp import web

from certmail.gateway.console.context import CONSOLE
from certmail.gateway.console.form_fields import values_of
from certmail.gateway.console.middleware import policy_of
from certmail.gateway.console.pages.views import show
from certmail.gateway.console.sessions.sessions import Notice, Visitor
from certmail.gateway.console.tenant_templates import template_texts
from certmail.gateway.console.tenant_templates.editor import Editor, edited
from certmail.gateway.console.tenant_templates.framed import FRAMES, framed
from certmail.gateway.console.tenant_templates.parts import (
    BrandPart,
    EditedPart,
    Typed,
    WordsPart,
)
from certmail.gateway.console.tenant_templates.previews import page_of, plain_page
from certmail.gateway.console.tenant_templates.sending import ask_for_sample
from certmail.gateway.console.tenant_templates.tenant_facts import TenantFacts, read_facts
from certmail.gateway.console.tenant_templates.variables import variables_of
from certmail.gateway.console.tenant_templates.views import LOCALES, PreviewView, view_of
from certmail.gateway.console.texts import N_
from certmail.gateway.worker_requests import RequestState
from certmail_config.admin.templates.publishing import publish
from certmail_config.base.errors import Refused, WrongUse
from certmail_config.jobs.languages import LANGUAGES, why_another
from certmail_config.templates.blocks import BLOCKS, KINDS
from certmail_config.templates.findings import Finding, TemplatesRefused

_TEMPLATES = {WordsPart: "templates_texts.html", BrandPart: "templates_brand.html"}


async def page(request: web.Request, visitor: Visitor) -> web.Response:
    """What is published, and how it looks."""
    facts = await facts_of(request, visitor)
    part, view = _asked(request, request.query, facts)
    editor = await _edited(request, facts, part, part.typed(facts.document), view)
    return await _shown(request, visitor, facts, editor, facts.state.version)


async def form(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Whatever was asked with what is typed."""
    request.app[CONSOLE].templates.count_form(visitor.csrf)
    facts, given = await facts_of(request, visitor), await request.post()
    part, view = _asked(request, given, facts)
    typed, since = dict(values_of_texts(given, part)), since_of(given)

    if (cleared := given.get("clear")) in {f"text-{each}" for each in BLOCKS.get(view.kind, ())}:
        typed[str(cleared)] = ""
    match given.get("do"):
        case "publish":
            return await _publish(request, visitor, facts, part, typed, view, since)
        case "send":
            return await _send(request, visitor, facts, part, typed, view, since)
        case _:
            editor = await _edited(request, facts, part, typed, view)
            return await _shown(request, visitor, facts, editor, since)


async def frame(request: web.Request, visitor: Visitor) -> web.Response:
    """The mail by itself, for the frame: as published, or as a form has it."""
    context = request.app[CONSOLE]
    hosts = context.admin.settings.logo_hosts
    given: Mapping[str, Any] = request.query
    try:
        if request.method == "POST":
            context.templates.count_form(visitor.csrf)
            given = await request.post()
        facts = await facts_of(request, visitor)
        part, view = _asked(request, given, facts)
        posted = request.method == "POST"
        typed = values_of_texts(given, part) if posted else part.typed(facts.document)
        editor = await _edited(request, facts, part, typed, view)
    except web.HTTPTooManyRequests as error:
        words = "That is too often. The preview goes on in a minute."
        return framed(plain_page(words, "certmail", "en", "light"), (), status=error.status)

    if editor.preview is None:
        return framed(plain_page(editor.trouble, "certmail", "en", view.theme), ())
    return framed(page_of(editor.preview, view), hosts)


def values_of_texts(given: Mapping[str, Any], part: EditedPart) -> dict[str, str]:
    """What is typed in the fields of a part, as it is: blanks in a text are somebody's own."""
    found = {name: given.get(name, "") for name in part.fields}
    return {name: text if isinstance(text, str) else "" for name, text in found.items()}


def language_tag(locale: str) -> str:
    """The locale of an address; raises HTTPNotFound for one that no mail is written in."""
    plain = locale.isascii() and locale.replace("-", "").isalnum() and len(locale) <= 35
    if not plain or why_another(locale):
        raise web.HTTPNotFound
    return locale


def _asked(
    request: web.Request, given: Mapping[str, Any], facts: TenantFacts
) -> tuple[EditedPart, PreviewView]:
    """Which part a request is about, and how the mail is looked at."""
    locale, kind = request.match_info.get("locale"), request.match_info.get("kind", "")
    if locale is None:
        return BrandPart(), view_of(given, "", facts.document.locale or "en")
    if kind not in KINDS:
        raise web.HTTPNotFound
    return WordsPart(language_tag(locale), kind), view_of(given, kind, locale)


def since_of(given: Mapping[str, Any]) -> int:
    """The version that the page showed when somebody began to type."""
    text = given.get("instead_of", "")
    if not isinstance(text, str) or not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise WrongUse(
            "no_version", N_("The form does not say what it is to follow."), N_("Load its page.")
        )
    return int(text)


async def facts_of(request: web.Request, visitor: Visitor) -> TenantFacts:
    """What is on record of the tenant of the address; raises as `read_facts`."""
    tenant = request.match_info["tenant"]
    return await asyncio.to_thread(read_facts, request.app[CONSOLE], visitor, tenant)


async def _edited(
    request: web.Request,
    facts: TenantFacts,
    part: EditedPart,
    typed: Typed,
    view: PreviewView,
    *,
    meanwhile: bool = False,
    refused: Sequence[Finding] = (),
) -> Editor:
    context = request.app[CONSOLE]
    hosts = context.admin.settings.logo_hosts
    async with context.templates.turn():
        return await asyncio.to_thread(
            edited, facts, part, typed, view, hosts, meanwhile=meanwhile, refused=refused
        )


async def _publish(
    request: web.Request,
    visitor: Visitor,
    facts: TenantFacts,
    part: EditedPart,
    typed: Typed,
    view: PreviewView,
    since: int,
) -> web.StreamResponse:
    context = request.app[CONSOLE]
    await asyncio.to_thread(context.space.require)
    admin = context.admin.acting_as(visitor.actor)

    async with context.templates.turn():
        try:
            document = part.put(facts.document, typed)
            tenant = facts.tenant.id
            await asyncio.to_thread(publish, admin, tenant, document, instead_of=since)
        except TemplatesRefused as refused:
            found, faster = refused.findings, False
        except Refused as error:
            if error.code != "templates_changed":
                raise
            found, faster = (), True
        else:
            notice = Notice(good=True, message=template_texts.PUBLISHED)
            await asyncio.to_thread(context.sessions.tell, visitor, notice)
            raise web.HTTPSeeOther(f"{base_of(visitor, facts)}/{part.path}")

    facts = await facts_of(request, visitor)
    editor = await _edited(request, facts, part, typed, view, meanwhile=faster, refused=found)
    said = template_texts.FASTER if faster else template_texts.FAULTY
    return await _shown(
        request,
        visitor,
        facts,
        editor,
        facts.state.version,
        notice=Notice(good=False, message=said),
        faster=faster,
        status=409 if faster else 422,
    )


async def _send(
    request: web.Request,
    visitor: Visitor,
    facts: TenantFacts,
    part: EditedPart,
    typed: Typed,
    view: PreviewView,
    since: int,
) -> web.StreamResponse:
    context, given = request.app[CONSOLE], values_of(await request.post(), "to", "connection")
    editor = await _edited(request, facts, part, typed, view)
    notice, error, answer, status = None, None, None, 200

    if editor.faulty or editor.preview is None:
        notice, status = Notice(good=False, message=template_texts.NOT_SENT), 422
    else:
        try:
            answer = await ask_for_sample(context, visitor, facts, editor, **given)
        except WrongUse as wrong:
            error, status = wrong, 400

    return await _shown(
        request,
        visitor,
        facts,
        editor,
        since,
        notice=notice,
        error=error,
        answer=answer,
        given=given,
        status=status,
    )


async def _shown(
    request: web.Request,
    visitor: Visitor,
    facts: TenantFacts,
    editor: Editor,
    since: int,
    *,
    notice: Notice | None = None,
    error: WrongUse | None = None,
    answer: RequestState | None = None,
    given: Mapping[str, str] | None = None,
    faster: bool = False,
    status: int = 200,
) -> web.Response:
    """The page; `since` is the version that its form is to follow."""
    part, view = editor.part, editor.view
    if notice is not None:
        visitor = replace(visitor, notice=notice)

    values = {
        "facts": facts,
        "tenant": facts.tenant,
        "editor": editor,
        "part": part,
        "typed": editor.typed,
        "view": view,
        "since": since,
        "faster": faster,
        "error": error,
        "answer": answer,
        "given": given or {"to": "", "connection": ""},
        "may_change": visitor.is_operator,
        "home": base_of(visitor, facts),
        "names": template_texts,
        "variables": variables_of(view.kind),
        "kinds": KINDS,
        "languages": LANGUAGES,
        "locales": sorted({*LOCALES, view.locale}),
    }
    response = await show(request, visitor, _TEMPLATES[type(part)], values, status=status)
    response.headers["Content-Security-Policy"] = policy_of(request.app[CONSOLE], FRAMES)
    return response


def base_of(visitor: Visitor, facts: TenantFacts) -> str:
    """Where the pages of a tenant's templates are for this visitor."""
    return f"{visitor.base}/tenants/{facts.tenant.id}/templates"
