"""The super administrator's part: a link of its own for it, and the one page that it opens.

Whoever has the link may look and ask for a check, and nothing else. What is shown is what the form
in Google's Admin console asks for, and for whom; once it works, not even that.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web

from certmail.gateway.console.access_control import AccessDenied, check_form
from certmail.gateway.console.context import CONSOLE, ConsoleContext
from certmail.gateway.console.form_fields import read_form
from certmail.gateway.console.pages.connection_page import connection_of
from certmail.gateway.console.pages.views import show
from certmail.gateway.console.sessions.sessions import Visitor
from certmail.gateway.console.tenant_lookup import tenant_of
from certmail.gateway.console.texts import N_
from certmail_config.admin.delegation_links import (
    PATH,
    Delegation,
    complete,
    delegation_of,
    issue_delegation,
)
from certmail_config.base.errors import Refused
from certmail_config.google.checklist import Step
from certmail_config.onboarding.client_ids import client_id_of
from certmail_config.onboarding.google_steps import GoogleSteps
from certmail_config.onboarding.worker_requests import RequestStage, Wish
from certmail_config.tenants.models import Connection, ConnectionState

_BEFORE = frozenset({"certificate dates", "certificate", "clock", "service account", "vault"})


@dataclass(frozen=True, slots=True)
class DelegationPage:
    """The values of the page.

    `found` is how far it is: `unknown`, `running`, `before`, `missing`, `silent`.
    """

    organisation: str
    connection: Connection
    google: GoogleSteps
    found: str


def add_delegation(app: web.Application) -> None:
    """Add the page that the link opens."""
    app.router.add_get(f"{PATH}/{{token}}", look)
    app.router.add_post(f"{PATH}/{{token}}", check)


async def hand_on(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Make the link, and show it this once."""
    context = request.app[CONSOLE]
    found = await asyncio.to_thread(connection_of, context, visitor, request.match_info["id"])
    admin = context.admin.acting_as(visitor.actor)
    made = await asyncio.to_thread(issue_delegation, admin, found)
    await asyncio.to_thread(_ask_for_client_id, context, found)
    return await show(request, visitor, "delegation-link.html", {"connection": found, "link": made})


async def look(request: web.Request) -> web.StreamResponse:
    """What is to be authorised, and whether it works yet."""
    context = request.app[CONSOLE]
    delegation = await _delegation(request)
    asked = None if delegation.done else await asyncio.to_thread(_asked, context, delegation)
    values = {"asked": asked, "form_token": delegation.form, "visitor": None, "base": "/connect"}
    return context.pages.render(request, "super-administrator.html", values)


async def check(request: web.Request) -> web.StreamResponse:
    """Have a worker look, if none is at it."""
    context = request.app[CONSOLE]
    form, delegation = await read_form(request), await _delegation(request)
    check_form(request, form, delegation.form)
    if not context.rate_limit.allows(delegation.link):
        raise web.HTTPTooManyRequests

    if not delegation.done:
        await asyncio.to_thread(context.space.require)
        await asyncio.to_thread(_ask, context, delegation)

    raise web.HTTPSeeOther(request.path)


async def _delegation(request: web.Request) -> Delegation:
    context = request.app[CONSOLE]
    found = await asyncio.to_thread(
        delegation_of, context.admin.strongbox, request.match_info["token"]
    )
    if found is None:
        raise _ended()
    return found


def _asked(context: ConsoleContext, delegation: Delegation) -> DelegationPage | None:
    """The values of the page; None once it works.

    Raises AccessDenied where nobody waits for it any more.
    """
    try:
        tenant = tenant_of(context, delegation.tenant)
        connection = context.admin.connection(delegation.connection)
    except Refused:
        raise _ended() from None

    if not delegation.fits(tenant, connection):
        raise _ended()

    _ask_for_client_id(context, connection)
    answer = context.requester.latest(connection.id)
    steps: tuple[Step, ...] = ()
    if answer is not None and answer.worker_request.wish is not Wish.REMOVE:
        steps = answer.worker_request.steps
    if _works(connection, steps):
        complete(context.admin.strongbox, delegation)
        return None

    client_id = client_id_of(context.admin.strongbox, connection)
    google = GoogleSteps(connection, client_id, context.admin.settings.consoles)

    if answer is not None and not answer.over:
        found = "running"
    elif answer is not None and (
        answer.silence is not None or answer.worker_request.stage is RequestStage.REFUSED
    ):
        found = "silent"
    else:
        found = _found(steps)

    return DelegationPage(tenant.organisation, connection, google, found)


def _works(connection: Connection, steps: tuple[Step, ...]) -> bool:
    """Whether the super administrator's part is done, whatever else is missing."""
    if connection.state is ConnectionState.ACTIVE and connection.refused_since is None:
        return True

    granted = {step.name for step in steps if step.ok}
    wanted = {"token to send", "token to look"} if connection.verify else {"token to send"}
    return wanted <= granted


def _found(steps: tuple[Step, ...]) -> str:
    wrong = next((step.name for step in steps if not step.ok), None)
    if wrong is None:
        return "unknown"
    return "before" if wrong in _BEFORE else "missing"


def _ask(context: ConsoleContext, delegation: Delegation) -> None:
    if _asked(context, delegation) is None:
        return

    answer = context.requester.latest(delegation.connection)
    if answer is None or answer.over:
        context.requester.ask(delegation.tenant, delegation.connection, Wish.CHECK)


def _ask_for_client_id(context: ConsoleContext, connection: Connection) -> None:
    """Have a worker ask Google for the client ID, unless one has of late.

    What is to be authorised is a number that only Google knows.
    """
    known = (
        client_id_of(context.admin.strongbox, connection)
        or connection.state is ConnectionState.ACTIVE
    )
    if not known and context.requester.latest(connection.id) is None:
        context.requester.ask(connection.tenant, connection.id, Wish.CHECK)


def _ended() -> AccessDenied:
    return AccessDenied(
        "link_ended",
        N_(
            "It was replaced by a newer one, is no longer needed, has expired, or was copied only in part."
        ),
        N_(
            "If you are still asked to authorise something, ask whoever sent you the link for a new one."
        ),
    )
