"""The actions on a webhook: each is a form's POST, and leads back to its page."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from certmail.gateway.console.context import CONSOLE
from certmail.gateway.console.form_fields import WrongField, values_of
from certmail.gateway.console.sessions.sessions import Notice, Visitor
from certmail.gateway.console.texts import N_
from certmail.gateway.console.webhooks.webhook_list import PATH
from certmail.gateway.console.webhooks.webhook_pages import (
    HOURS,
    id_of,
    secret_page,
    webhook_page,
)
from certmail_config.admin.admin import Admin
from certmail_config.admin.webhooks import running
from certmail_config.admin.webhooks.endpoints import get_webhook, remove_webhook
from certmail_config.admin.webhooks.trial import Trial, try_out
from certmail_config.base.errors import WrongUse
from certmail_config.webhooks.health import SENDING
from certmail_config.webhooks.targets import host_of

SAID: Final = 200
"""Characters of a receiver's answer that are shown."""


async def send_trial(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Send a trial now, and say what came back."""
    admin = request.app[CONSOLE].admin
    found = await asyncio.to_thread(get_webhook, admin, id_of(request))
    trial = await try_out(admin, found)
    return await _notify(request, visitor, _came_of(trial), good=trial.came.taken)


async def pause(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Send nothing more."""
    await asyncio.to_thread(running.pause_webhook, _acting(request, visitor), id_of(request))
    return await _notify(request, visitor, N_("Paused: what happens is kept for it."))


async def resume(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Let it be sent what waits."""
    await asyncio.to_thread(running.resume_webhook, _acting(request, visitor), id_of(request))
    return await _notify(
        request, visitor, N_("Resumed: what waited is sent now, the oldest first.")
    )


async def rotate(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Make another secret, and show it this once."""
    chosen = values_of(await request.post(), "hours")["hours"]
    hours = next((each for each in HOURS if str(each) == chosen), running.OVERLAP_HOURS)
    admin = _acting(request, visitor)
    changed, secret = await asyncio.to_thread(
        running.rotate_webhook, admin, id_of(request), hours=hours
    )
    return await secret_page(request, visitor, changed, secret, is_new=False)


async def replay(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Send again one message, all that failed, or all since a time."""
    typed = values_of(await request.post(), "message", "failed", "since")
    admin, id_ = _acting(request, visitor), id_of(request)
    try:
        count = await asyncio.to_thread(_replay, admin, id_, typed)
    except WrongField as error:
        return await webhook_page(request, visitor, error, status=400)

    found = await asyncio.to_thread(get_webhook, admin, id_)
    words = f"{count:,} messages are sent again." if count != 1 else "1 message is sent again."
    if not count:
        words = N_("There was none to send again.")
    elif found.health.state not in SENDING:
        words = f"{words.removesuffix('.')} once it is resumed."
    return await _notify(request, visitor, words, good=bool(count))


async def remove(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Remove it for good, if its host was typed."""
    context, form = request.app[CONSOLE], await request.post()
    found = await asyncio.to_thread(get_webhook, context.admin, id_of(request))
    if form.get("confirm") != host_of(found.url):
        notice = Notice(good=False, message=N_("That is not its host, so nothing was removed."))
        await asyncio.to_thread(context.sessions.tell, visitor, notice)
        raise web.HTTPSeeOther(f"{PATH}/{found.id}/removal")

    await asyncio.to_thread(remove_webhook, _acting(request, visitor), found.id)
    notice = Notice(good=True, message=N_("The webhook is removed."))
    await asyncio.to_thread(context.sessions.tell, visitor, notice)
    raise web.HTTPSeeOther(PATH)


def _replay(admin: Admin, id_: str, typed: Mapping[str, str]) -> int:
    """Send again what is meant; gives how many. Raises Refused, WrongField."""
    if typed["message"]:
        return running.replay_one(admin, id_, typed["message"])
    if typed["failed"]:
        return running.replay_failed(admin, id_)
    return running.replay_since(admin, id_, _moment(typed["since"]))


def _came_of(trial: Trial) -> str:
    """What came of a trial, in words."""
    came = trial.came
    if came.taken:
        return f"The trial was taken after {came.seconds:.2f} seconds (HTTP {came.status})."

    words = f"The trial was not taken, after {came.seconds:.2f} seconds: {came.why}."
    said = " ".join(came.answer.decode("utf-8", "replace").split())[:SAID]
    return f"{words} It said: {said}" if said and said.isprintable() else words


def _moment(text: str) -> datetime:
    """A moment as browsers send it; raises WrongField."""
    try:
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except ValueError:
        message = N_("This is not a time, as in 2026-11-25 15:20.")
        raise WrongField("since", WrongUse("invalid_since", message, "")) from None


def _acting(request: web.Request, visitor: Visitor) -> Admin:
    """The admin, acting in the visitor's name."""
    return request.app[CONSOLE].admin.acting_as(visitor.actor)


async def _notify(
    request: web.Request, visitor: Visitor, message: str, *, good: bool = True
) -> web.StreamResponse:
    """Lead back to its page, which shows the message once."""
    notice = Notice(good=good, message=message)
    await asyncio.to_thread(request.app[CONSOLE].sessions.tell, visitor, notice)
    raise web.HTTPSeeOther(f"{PATH}/{id_of(request)}")
