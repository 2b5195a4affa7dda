"""The editors' pages, as they are looked at: a tenant's texts, and its brand, beside the mail."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web

from certmail.gateway.console.context import CONSOLE
from certmail.gateway.console.middleware import policy_of
from certmail.gateway.console.pages.views import show
from certmail.gateway.console.sessions.sessions import Visitor
from certmail.gateway.console.tenant_templates import template_texts
from certmail.gateway.console.tenant_templates.asked import Asked, asked_for
from certmail.gateway.console.tenant_templates.editor import Editor, edited
from certmail.gateway.console.tenant_templates.framed import FRAMES, framed
from certmail.gateway.console.tenant_templates.parts import BrandPart, WordsPart
from certmail.gateway.console.tenant_templates.previews import page_of, plain_page
from certmail.gateway.console.tenant_templates.variables import variables_of
from certmail.gateway.console.tenant_templates.views import LOCALES
from certmail_config.templates.blocks import KINDS
from certmail_config.templates.findings import Finding

_PAGES: Final = {WordsPart: "templates_texts.html", BrandPart: "templates_brand.html"}
_TOO_OFTEN: Final = "That is too often. The preview goes on in a minute."


async def page(request: web.Request, visitor: Visitor) -> web.Response:
    """What is published, and how it looks."""
    asked = await asked_for(request, visitor)
    editor = await worked_out(request, asked)
    return await shown(request, asked, editor, asked.facts.state.version)


async def frame(request: web.Request, visitor: Visitor) -> web.Response:
    """The mail by itself, for the frame: as published, or as a form has it."""
    context = request.app[CONSOLE]
    try:
        form = None
        if request.method == "POST":
            context.templates.count_form(visitor.csrf)
            form = await request.post()
        asked = await asked_for(request, visitor, form)
        editor = await worked_out(request, asked)
    except web.HTTPTooManyRequests as error:
        # An error's own page is shown in no frame.
        return framed(plain_page(_TOO_OFTEN, "certmail", "en", "light"), (), status=error.status)

    if editor.preview is None:
        return framed(plain_page(editor.trouble, "certmail", "en", asked.view.theme), ())
    hosts = context.admin.settings.logo_hosts
    return framed(page_of(editor.preview, asked.view), hosts)


async def worked_out(
    request: web.Request,
    asked: Asked,
    *,
    meanwhile: bool = False,
    refused: Sequence[Finding] = (),
) -> Editor:
    """Work the page out, off the loop; raises HTTPTooManyRequests. The rest is as in `edited`."""
    context = request.app[CONSOLE]
    async with context.templates.turn(asked.visitor.csrf):
        return await asyncio.to_thread(
            edited,
            asked.facts,
            asked.part,
            asked.typed,
            asked.view,
            context.admin.settings.logo_hosts,
            meanwhile=meanwhile,
            refused=refused,
        )


async def shown(
    request: web.Request,
    asked: Asked,
    editor: Editor,
    since: int,
    *,
    status: int = 200,
    **more: Any,
) -> web.Response:
    """The page; `since` is the version that its form is to follow."""
    values = {
        "facts": asked.facts,
        "tenant": asked.facts.tenant,
        "editor": editor,
        "part": asked.part,
        "typed": asked.typed,
        "view": asked.view,
        "since": since,
        "faster": False,
        "error": None,
        "answer": None,
        "given": {"to": "", "connection": ""},
        "may_change": asked.visitor.administers,
        "home": asked.home,
        "names": template_texts,
        "variables": variables_of(asked.view.kind),
        "kinds": KINDS,
        "locales": sorted({*LOCALES, asked.view.locale}),
        **more,
    }

    response = await show(request, asked.visitor, _PAGES[type(asked.part)], values, status=status)
    response.headers["Content-Security-Policy"] = policy_of(request.app[CONSOLE], FRAMES)
    return response
