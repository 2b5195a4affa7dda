"""The question after Google's consent: whether to send from this account.

"Send Globex's reminders from this account?" is asked before anything is linked, on one page for
every way here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from aiohttp import web

from certmail.gateway.console.access_control import check_form
from certmail.gateway.console.context import CONSOLE, ConsoleContext
from certmail.gateway.console.form_fields import read_form
from certmail.gateway.console.pages.oauth_return import returned
from certmail.gateway.console.sessions import cookies
from certmail.gateway.console.sessions.cookies import Cookie
from certmail.gateway.oauth.google_client import Google
from certmail.gateway.oauth.link_outcomes import (
    DECLINED,
    STALE,
    LinkOutcome,
    ended_before,
    remember,
)
from certmail.gateway.oauth.linking import accept, decline
from certmail_config.admin.account_consent import begin_consent
from certmail_config.admin.account_use import users_of
from certmail_config.base.errors import Refused
from certmail_config.onboarding.account_offers import Offer, find_offer, take_offer
from certmail_config.sql import registry
from certmail_config.tenants.models import Connection

ASKED_AT: Final = "/oauth/google/account"
GOOGLE: web.AppKey[Callable[[], Google]] = web.AppKey("google")
"""Makes the client that asks Google; raises SettingsError."""


@dataclass(frozen=True, slots=True)
class AccountPage:
    """The values of the page: which account for whom, and instead of which.

    `elsewhere` says whether another tenant sends from it.
    """

    offer: Offer
    connection: Connection
    organisation: str
    elsewhere: bool


def add_question(app: web.Application) -> None:
    """Add the page, and where its answer goes."""
    app.router.add_get(f"{ASKED_AT}/{{offer}}", ask)
    app.router.add_post(f"{ASKED_AT}/{{offer}}", answer)


async def ask(request: web.Request) -> web.StreamResponse:
    """Show the account and whom it would send for."""
    context, id_ = request.app[CONSOLE], request.match_info["offer"]
    offer = await asyncio.to_thread(find_offer, context.admin.strongbox, id_)
    if offer is None:
        return await _answered(request, id_)
    if not offer.belongs_to(_browser(request)):
        return await returned(request, STALE)

    try:
        asked = await asyncio.to_thread(_asked, context, offer)
    # The connection was removed: there is nothing to ask, and nobody will answer.
    except Refused:
        if await asyncio.to_thread(take_offer, context.admin.strongbox, id_) is not None:
            await decline(context.admin, request.app[GOOGLE](), offer)
        return await returned(request, STALE)

    values = {"asked": asked, "id": id_, "visitor": None, "base": "/console"}
    return context.pages.render(request, "account_question.html", values)


async def answer(request: web.Request) -> web.StreamResponse:
    """Yes links it; no gives it back, and offers to sign in with another account."""
    context, id_ = request.app[CONSOLE], request.match_info["offer"]
    form = await read_form(request)
    offer = await asyncio.to_thread(find_offer, context.admin.strongbox, id_)
    if offer is None:
        return await _answered(request, id_)
    if not offer.belongs_to(_browser(request)):
        return await returned(request, STALE)

    check_form(request, form, offer.form)
    if await asyncio.to_thread(take_offer, context.admin.strongbox, id_) is None:
        return await _answered(request, id_)  # a moment ago

    google = request.app[GOOGLE]()
    if form.get("answer") == "yes":
        ended = await accept(context.admin, google, offer)
        await asyncio.to_thread(remember, context.admin, id_, _browser(request), ended)
        return await returned(request, ended)

    await decline(context.admin, google, offer)
    await asyncio.to_thread(
        remember, context.admin, id_, _browser(request), replace(DECLINED, back=offer.back)
    )

    url = await asyncio.to_thread(_another, context, offer, _browser(request))
    values = {"url": url, "back": offer.back, "visitor": None, "base": "/console"}
    return context.pages.render(request, "declined.html", values)


async def _answered(request: web.Request, id_: str) -> web.StreamResponse:
    """Show how the question ended, which was answered before in this browser."""
    ended = await asyncio.to_thread(
        ended_before, request.app[CONSOLE].admin, id_, _browser(request)
    )
    return await returned(request, ended if isinstance(ended, LinkOutcome) else STALE)


def _browser(request: web.Request) -> str:
    return cookies.read(request, Cookie.CONSENT, secure=request.app[CONSOLE].secure)


def _asked(context: ConsoleContext, offer: Offer) -> AccountPage:
    connection = context.admin.connection(offer.connection)
    with context.admin.db() as db:
        organisation = registry.get_tenant(db, connection.tenant).organisation
        others = users_of(db, offer.sub, leaving=[connection.id])

    elsewhere = any(other.tenant != connection.tenant for other in others)
    return AccountPage(offer, connection, organisation, elsewhere)


def _another(context: ConsoleContext, offer: Offer, browser: str) -> str:
    """The address at Google where another account is chosen."""
    return begin_consent(
        context.admin,
        context.admin.connection(offer.connection),
        browser=browser,
        back=offer.back,
        another=offer.another,
        choose=True,
    )
