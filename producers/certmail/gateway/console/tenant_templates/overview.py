"""The pages about all of a tenant's templates: the tenants, one tenant, differences, going back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from certmail.gateway.console.context import CONSOLE, ConsoleContext
from certmail.gateway.console.pages.views import show
from certmail.gateway.console.sessions.sessions import Notice, Visitor
from certmail.gateway.console.tenant_templates import template_texts
from certmail.gateway.console.tenant_templates.asked import facts_of, home_of, since_of
from certmail.gateway.console.tenant_templates.views import LOCALES
from certmail_config.admin.templates.publishing import publish
from certmail_config.base import redis_keys
from certmail_config.base.errors import Refused
from certmail_config.base.redis_answers import hash_of
from certmail_config.sql import registry
from certmail_config.sql.templates.versions import newest_versions
from certmail_config.templates.blocks import KINDS
from certmail_config.templates.colours import is_colour, palette
from certmail_config.templates.documents import EMPTY
from certmail_config.tenants.models import Tenant
from certmail_config.tenants.templates_copy import read_templates_copy

MAX_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class TenantWithTemplates:
    """A tenant in the list; `version` is 0 where its mails are certmail's own."""

    tenant: Tenant
    version: int
    suspended: bool


async def tenants(request: web.Request, visitor: Visitor) -> web.Response:
    """All tenants; first those of whose words something was put aside, then those that have any."""
    wanted = request.query.get("q", "")[:100]
    lines, left_out = await asyncio.to_thread(_listed, request.app[CONSOLE], wanted)
    values = {"lines": lines, "left_out": left_out, "wanted": wanted}
    return await show(request, visitor, "templates_tenants.html", values)


async def home(request: web.Request, visitor: Visitor) -> web.Response:
    """What a tenant has published: by language and kind, its brand, when and by whom."""
    facts = await facts_of(request, visitor)
    kind, locale = request.query.get("kind", ""), request.query.get("locale", "")
    if kind in KINDS and locale in LOCALES:
        raise web.HTTPSeeOther(f"{home_of(visitor, facts.tenant.id)}/texts/{locale}/{kind}")

    colour = facts.document.brand.colour
    values = {
        "facts": facts,
        "tenant": facts.tenant,
        "brand": facts.document.brand,
        "palette": palette(colour) if is_colour(colour) else None,
        "changed": [each for each in facts.differences if each.changed],
        "home": home_of(visitor, facts.tenant.id),
        "may_change": visitor.administers,
        "names": template_texts,
        "kinds": KINDS,
        "locales": LOCALES,
    }
    return await show(request, visitor, "templates.html", values)


async def differences(request: web.Request, visitor: Visitor) -> web.Response:
    """The tenant's words beside certmail's, and what of those has changed since."""
    facts = await facts_of(request, visitor)
    found = sorted(facts.differences, key=lambda each: (not each.changed, each.place))
    values = {
        "facts": facts,
        "tenant": facts.tenant,
        "found": found,
        "home": home_of(visitor, facts.tenant.id),
    }
    return await show(request, visitor, "templates_differences.html", values)


async def reset_page(request: web.Request, visitor: Visitor) -> web.Response:
    """The question before going back to certmail's own words."""
    facts = await facts_of(request, visitor)
    values = {"facts": facts, "tenant": facts.tenant, "home": home_of(visitor, facts.tenant.id)}
    return await show(request, visitor, "templates_reset.html", values)


async def reset(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Go back to certmail's own words and look, unless somebody has published meanwhile."""
    context, since = request.app[CONSOLE], since_of(await request.post())
    context.templates.count_form(visitor.csrf)
    facts = await facts_of(request, visitor)
    await asyncio.to_thread(context.space.require)

    admin, notice = context.admin.acting_as(visitor.actor), Notice(True, template_texts.RESET)
    try:
        await asyncio.to_thread(publish, admin, facts.tenant.id, EMPTY, instead_of=since)
    except Refused as error:
        if error.code != "templates_changed":
            raise
        notice = Notice(good=False, message=template_texts.FASTER_THAN_RESET)
    await asyncio.to_thread(context.sessions.tell, visitor, notice)
    raise web.HTTPSeeOther(home_of(visitor, facts.tenant.id))


def _listed(context: ConsoleContext, wanted: str) -> tuple[list[TenantWithTemplates], int]:
    with context.admin.db() as db:
        every = registry.list_tenants(db)
        versions = newest_versions(db)

    words = wanted.casefold().split()
    found = [
        TenantWithTemplates(each, versions.get(each.id, 0), suspended=False)
        for each in every
        if all(word in f"{each.id} {each.organisation}".casefold() for word in words)
    ]
    found.sort(key=lambda each: (not each.version, each.tenant.organisation.casefold()))
    lines = [
        TenantWithTemplates(each.tenant, each.version, _suspended(context, each))
        for each in found[:MAX_SHOWN]
    ]
    lines.sort(key=lambda each: not each.suspended)
    return lines, max(0, len(found) - MAX_SHOWN)


def _suspended(context: ConsoleContext, listed: TenantWithTemplates) -> bool:
    if not listed.version:
        return False
    copy = read_templates_copy(
        hash_of(context.admin.redis, redis_keys.TEMPLATES + listed.tenant.id)
    )
    return copy is not None and copy.version == listed.version and bool(copy.off)
