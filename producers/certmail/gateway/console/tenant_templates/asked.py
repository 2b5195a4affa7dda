"""What a request to an editor is about: whose templates, which part, what is typed, how it is looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from certmail.gateway.console.context import CONSOLE
from certmail.gateway.console.sessions.sessions import Visitor
from certmail.gateway.console.tenant_templates.parts import (
    BrandPart,
    EditedPart,
    Typed,
    WordsPart,
)
from certmail.gateway.console.tenant_templates.tenant_facts import TenantFacts, read_facts
from certmail.gateway.console.tenant_templates.views import PreviewView, view_of
from certmail.gateway.console.texts import N_
from certmail_config.base.errors import WrongUse
from certmail_config.jobs.languages import why_another
from certmail_config.templates.blocks import KINDS

_LONGEST_TAG = 35


@dataclass(frozen=True, slots=True)
class Asked:
    """See the module."""

    visitor: Visitor
    facts: TenantFacts
    part: EditedPart
    typed: Typed
    view: PreviewView

    @property
    def home(self) -> str:
        """Where the pages of these templates are for this visitor."""
        return home_of(self.visitor, self.facts.tenant.id)


async def asked_for(
    request: web.Request, visitor: Visitor, form: Mapping[str, Any] | None = None
) -> Asked:
    """Read it off the address and the form; without one, what is typed is what is published.

    Raises HTTPNotFound for what is no part, and as `read_facts`.
    """
    facts = await facts_of(request, visitor)
    part = _part(request)
    given = request.query if form is None else form
    typed = part.typed(facts.document) if form is None else _typed(form, part)

    if isinstance(part, WordsPart):
        return Asked(visitor, facts, part, typed, view_of(given, part.kind, part.locale))
    return Asked(visitor, facts, part, typed, view_of(given, "", facts.document.locale or "en"))


async def facts_of(request: web.Request, visitor: Visitor) -> TenantFacts:
    """What is on record of the tenant of the address; raises as `read_facts`."""
    tenant = request.match_info["tenant"]
    return await asyncio.to_thread(read_facts, request.app[CONSOLE], visitor, tenant)


def home_of(visitor: Visitor, tenant: str) -> str:
    """Where the pages of a tenant's templates are for a visitor."""
    return f"{visitor.base}/tenants/{tenant}/templates"


def since_of(form: Mapping[str, Any]) -> int:
    """The version that the page showed when somebody began to type; raises WrongUse."""
    text = form.get("instead_of", "")
    if not isinstance(text, str) or not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise WrongUse(
            "no_version", N_("The form does not say what it is to follow."), N_("Load its page.")
        )
    return int(text)


def _part(request: web.Request) -> EditedPart:
    locale, kind = request.match_info.get("locale"), request.match_info.get("kind")
    if locale is None:
        return BrandPart()

    tag = locale.isascii() and locale.replace("-", "").isalnum() and len(locale) <= _LONGEST_TAG
    if kind not in KINDS or not tag or why_another(locale):
        raise web.HTTPNotFound
    return WordsPart(locale, kind)


def _typed(form: Mapping[str, Any], part: EditedPart) -> Typed:
    """What is typed in the fields of a part, as it is: blanks in a text are somebody's own."""
    found = {name: form.get(name, "") for name in part.fields}
    return {name: text if isinstance(text, str) else "" for name, text in found.items()}
