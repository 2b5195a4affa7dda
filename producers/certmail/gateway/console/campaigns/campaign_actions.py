"""The actions on a campaign: each is a form's POST, and leads back to its page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from aiohttp import web

from certmail.gateway.console.campaigns.campaign_list import path_of
from certmail.gateway.console.campaigns.campaign_pages import campaign_page, key_of
from certmail.gateway.console.context import CONSOLE
from certmail.gateway.console.form_fields import WrongField
from certmail.gateway.console.sessions.sessions import Notice, Visitor
from certmail.gateway.console.texts import N_
from certmail_config.admin.admin import Admin
from certmail_config.admin.campaigns import running
from certmail_config.admin.campaigns.remind import Reminded, remind_now
from certmail_config.admin.campaigns.views import view_campaign
from certmail_config.base.errors import WrongUse
from certmail_config.sql.campaigns.campaigns import KeptCampaign

_ALL: Final = "all"


async def pause(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Let nothing leave until it is resumed."""
    message = N_("Paused: nothing leaves until it is resumed.")
    return await _change(request, visitor, running.pause_campaign, message)


async def resume(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Let it go on."""
    message = N_("Resumed: what was missed is caught up on once.")
    return await _change(request, visitor, running.resume_campaign, message)


async def remind(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Remind all who have something left, or those who are ticked, now."""
    context, key = request.app[CONSOLE], key_of(request)
    form = await request.post()
    chosen = [each for each in form.getall("reviewer", []) if isinstance(each, str)]
    everybody = form.get("whom") == _ALL
    if everybody and form.get("sure") != "1":
        message = N_("Tick that all of them are to get a mail.")
        wrong = WrongField("sure", WrongUse("not_sure", message, ""))
        return await campaign_page(request, visitor, wrong, status=400)
    if not everybody and not chosen:
        message = N_("Tick at least one reviewer.")
        wrong = WrongField("reviewer", WrongUse("nobody_ticked", message, ""))
        return await campaign_page(request, visitor, wrong, status=400)

    await asyncio.to_thread(context.space.require)
    admin = _acting(request, visitor)
    waits = form.get("hours") == "1"
    whom = None if everybody else chosen
    done = await asyncio.to_thread(remind_now, admin, *key, whom, wait_for_hours=waits)
    return await _notify(request, visitor, _came_of(done), good=bool(done.reminded))


async def stop(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Stop it for good, if its id was typed."""
    context, key = request.app[CONSOLE], key_of(request)
    typed = (await request.post()).get("confirm")
    found = (await asyncio.to_thread(view_campaign, context.admin, *key)).kept
    if not isinstance(typed, str) or typed.strip() != found.campaign.id:
        notice = Notice(good=False, message=N_("That is not its id, so nothing was stopped."))
        await asyncio.to_thread(context.sessions.tell, visitor, notice)
        raise web.HTTPSeeOther(f"{path_of(*key)}/stop")

    message = N_("Stopped: nothing leaves any more. What waits is called off.")
    return await _change(request, visitor, running.stop_campaign, message)


def _came_of(done: Reminded) -> str:
    """What became of a wish to remind, in words."""
    count = len(done.reminded) - len(done.later)
    words = f"{count:,} reviewers get a mail now." if count != 1 else "1 reviewer gets a mail now."
    if done.later:
        words = f"{words} {len(done.later):,} get it when their hours begin."
    if not done.reminded:
        return N_("Nobody was reminded: nobody of them has anything left to decide.")
    if done.complete:
        words = f"{words} {len(done.complete):,} have nothing left to decide."
    return words


async def _change(
    request: web.Request,
    visitor: Visitor,
    do: Callable[[Admin, str, str], KeptCampaign],
    message: str,
) -> web.StreamResponse:
    await asyncio.to_thread(do, _acting(request, visitor), *key_of(request))
    return await _notify(request, visitor, message)


def _acting(request: web.Request, visitor: Visitor) -> Admin:
    return request.app[CONSOLE].admin.acting_as(visitor.actor)


async def _notify(
    request: web.Request, visitor: Visitor, message: str, *, good: bool = True
) -> web.StreamResponse:
    notice = Notice(good=good, message=message)
    await asyncio.to_thread(request.app[CONSOLE].sessions.tell, visitor, notice)
    raise web.HTTPSeeOther(path_of(*key_of(request)))
