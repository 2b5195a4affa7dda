"""The console's routes: its pages, and who may go where."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

from aiohttp import web

from certmail.gateway.console.access_control import (
    Bare,
    Page,
    for_administrator,
    for_operator,
    operator_of,
)
from certmail.gateway.console.attention import attention_page
from certmail.gateway.console.campaigns import campaign_actions, campaign_pages, new_campaign
from certmail.gateway.console.campaigns.campaign_pages import PLANNING
from certmail.gateway.console.campaigns.uploads import read_upload
from certmail.gateway.console.context import CONSOLE, ConsoleContext, console_context
from certmail.gateway.console.form_fields import read_form
from certmail.gateway.console.live import live_page
from certmail.gateway.console.live.hub import LiveHub
from certmail.gateway.console.live.live_page import HUB
from certmail.gateway.console.operators import operator_changes, operator_pages
from certmail.gateway.console.pages import (
    account_page,
    actions,
    delegation_page,
    google_sign_in,
    setup_link_pages,
    setup_wizard,
    sign_in,
    views,
)
from certmail.gateway.console.record import export_page, list_page, story_page
from certmail.gateway.console.record.export_page import EXPORTS, Exports
from certmail.gateway.console.rendering import APPLICATION, SANDBOX, static_file
from certmail.gateway.console.tenant_templates import changing, editing, overview, sending
from certmail.gateway.console.tenants import tenant_pages
from certmail.gateway.console.webhooks import webhook_actions, webhook_pages
from certmail_config.admin.admin import Admin
from certmail_config.operators.permissions import role_for_page

_TEMPLATES = "/tenants/{tenant}/templates"
_CAMPAIGN = "/campaigns/{tenant}/{campaign}"
_NEW_CAMPAIGN = "/campaigns/new"
BOTH: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/set-up/{tenant}/{name}", setup_wizard.kind_page),
    ("POST", "/set-up/{tenant}/{name}/linked-account", setup_wizard.linked),
    ("GET", "/set-up/{tenant}/{name}/service-account", setup_wizard.account_page),
    ("POST", "/set-up/{tenant}/{name}/service-account", setup_wizard.account),
    ("GET", "/connections/{id}", views.connection),
    ("GET", "/connections/{id}/certificate", views.certificate),
    ("POST", "/connections/{id}/check", actions.check),
    ("POST", "/connections/{id}/link", actions.link),
    ("POST", "/connections/{id}/correction", setup_wizard.correction),
    ("POST", "/connections/{id}/another-kind", setup_wizard.another_kind),
    ("POST", "/connections/{id}/delegation", delegation_page.hand_on),
    ("GET", _TEMPLATES, overview.home),
    ("GET", f"{_TEMPLATES}/differences", overview.differences),
    ("GET", f"{_TEMPLATES}/brand", editing.page),
    ("GET", f"{_TEMPLATES}/brand/frame", editing.frame),
    ("GET", f"{_TEMPLATES}/texts/{{locale}}/{{kind}}", editing.page),
    ("GET", f"{_TEMPLATES}/texts/{{locale}}/{{kind}}/frame", editing.frame),
)
"""What an operator and an invited administrator may do, each below an address of their own."""
OPERATOR: tuple[tuple[str, str, Page], ...] = (
    ("GET", "", views.connections),
    ("GET", "/new", setup_wizard.new_page),
    ("POST", "/new", setup_wizard.new),
    ("POST", "/set-up/{tenant}/{name}/invitation", setup_wizard.invite),
    ("POST", "/sign-out", sign_in.sign_out),
    ("GET", "/account", account_page.account),
    ("POST", "/account", account_page.change_password),
    ("POST", "/connections/{id}/invitation", actions.invite),
    ("POST", "/connections/{id}/suspend", actions.suspend),
    ("POST", "/connections/{id}/resume", actions.resume),
    ("POST", "/connections/{id}/rotate", actions.rotate),
    ("GET", "/connections/{id}/removal", views.removal),
    ("POST", "/connections/{id}/removal", actions.remove),
    ("GET", "/operators", operator_pages.operators),
    ("POST", "/operators", operator_pages.add),
    ("GET", "/operators/{name}", operator_pages.operator),
    ("POST", "/operators/{name}/role", operator_changes.change_role),
    ("POST", "/operators/{name}/password", operator_changes.reset_password),
    ("POST", "/operators/{name}/disable", operator_changes.disable),
    ("POST", "/operators/{name}/enable", operator_changes.enable),
    ("POST", "/operators/{name}/removal", operator_changes.remove),
    ("GET", "/templates", overview.tenants),
    ("POST", f"{_TEMPLATES}/brand", changing.form),
    ("POST", f"{_TEMPLATES}/brand/frame", editing.frame),
    ("POST", f"{_TEMPLATES}/texts/{{locale}}/{{kind}}", changing.form),
    ("POST", f"{_TEMPLATES}/texts/{{locale}}/{{kind}}/frame", editing.frame),
    ("GET", f"{_TEMPLATES}/samples/{{id}}", sending.sample),
    ("GET", f"{_TEMPLATES}/reset", overview.reset_page),
    ("POST", f"{_TEMPLATES}/reset", overview.reset),
    ("GET", "/deliveries", list_page.deliveries),
    ("POST", "/deliveries", list_page.choose),
    ("GET", "/deliveries/export", export_page.export),
    ("GET", "/deliveries/{job}", story_page.delivery),
    ("GET", "/campaigns", campaign_pages.campaigns),
    ("GET", _NEW_CAMPAIGN, new_campaign.new_page),
    ("POST", _NEW_CAMPAIGN, new_campaign.new),
    ("GET", _CAMPAIGN, campaign_pages.campaign),
    ("POST", f"{_CAMPAIGN}/pause", campaign_actions.pause),
    ("POST", f"{_CAMPAIGN}/resume", campaign_actions.resume),
    ("POST", f"{_CAMPAIGN}/remind", campaign_actions.remind),
    ("GET", f"{_CAMPAIGN}/stop", campaign_pages.stopping),
    ("POST", f"{_CAMPAIGN}/stop", campaign_actions.stop),
    ("GET", "/live", live_page.live),
    ("GET", "/attention", attention_page.attention),
    ("POST", "/attention", attention_page.settle),
    ("GET", "/tenants", tenant_pages.tenants),
    ("GET", "/tenants/{tenant}", tenant_pages.tenant),
    ("POST", "/tenants/{tenant}/connections/{id}/limits", tenant_pages.limits),
    ("GET", "/webhooks", webhook_pages.webhooks),
    ("GET", "/webhooks/new", webhook_pages.new_page),
    ("POST", "/webhooks/new", webhook_pages.new),
    ("GET", "/webhooks/{webhook}", webhook_pages.webhook),
    ("GET", "/webhooks/{webhook}/change", webhook_pages.change_page),
    ("POST", "/webhooks/{webhook}/change", webhook_pages.change),
    ("POST", "/webhooks/{webhook}/test", webhook_actions.send_trial),
    ("POST", "/webhooks/{webhook}/pause", webhook_actions.pause),
    ("POST", "/webhooks/{webhook}/resume", webhook_actions.resume),
    ("POST", "/webhooks/{webhook}/rotate", webhook_actions.rotate),
    ("POST", "/webhooks/{webhook}/replay", webhook_actions.replay),
    ("GET", "/webhooks/{webhook}/removal", webhook_pages.removal),
    ("POST", "/webhooks/{webhook}/removal", webhook_actions.remove),
)


def add_console(app: web.Application, admin: Admin) -> None:
    """Add the pages to the gateway."""
    context = app[CONSOLE] = console_context(admin)
    app[SANDBOX] = admin.settings.sandbox_url or ""
    app[APPLICATION] = context.application

    async def requester(_: web.Application) -> AsyncIterator[None]:
        yield
        context.requester.close()
        context.passwords.close()

    app.cleanup_ctx.append(requester)
    app[EXPORTS] = Exports()
    app[PLANNING] = asyncio.Semaphore(1)
    app[HUB] = LiveHub(admin, partial(_standing, context))
    app.on_shutdown.append(_end_streams)

    app.router.add_get("/console/static/{version}/{name}", static_file)
    app.router.add_get("/console/sign-in", sign_in.sign_in_page)
    app.router.add_post("/console/sign-in", sign_in.sign_in)
    google_sign_in.add_google_sign_in(app)

    for method, path, page in (*OPERATOR, *BOTH):
        needed = role_for_page(method, path)
        read = read_upload if path == _NEW_CAMPAIGN else read_form
        _add(app, method, f"/console{path}", for_operator(page, needed, read))

    app.router.add_get("/connect", for_administrator(setup_link_pages.home))
    for method, path, page in BOTH:
        _add(app, method, f"/connect{path}", for_administrator(page))

    delegation_page.add_delegation(app)
    app.router.add_get("/connect/{token}", setup_link_pages.welcome)
    app.router.add_post("/connect/{token}", setup_link_pages.begin)


def _standing(context: ConsoleContext, secrets: list[str]) -> set[str]:
    """Those of these visits of operators that are not over."""
    return {each for each in secrets if operator_of(context, each, renew=False) is not None}


async def _end_streams(app: web.Application) -> None:
    await app[HUB].close()


def _add(app: web.Application, method: str, path: str, page: Bare) -> None:
    """Add a page; whoever may GET it may ask for its head alone."""
    if method == "GET":
        app.router.add_get(path, page)
    else:
        app.router.add_route(method, path, page)
