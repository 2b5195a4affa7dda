"""The pages of campaigns that only show: the list, one campaign, the question before stopping."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import Any, Final

from aiohttp import web

from certmail.gateway.access_log import note
from certmail.gateway.console.campaigns.campaign_details import (
    PARTS,
    CampaignDetails,
    read_campaign_page,
)
from certmail.gateway.console.campaigns.campaign_list import read_campaigns
from certmail.gateway.console.campaigns.words import PRESETS
from certmail.gateway.console.context import CONSOLE
from certmail.gateway.console.form_fields import WrongField
from certmail.gateway.console.pages.views import show
from certmail.gateway.console.record import words
from certmail.gateway.console.sessions.sessions import Visitor

PLANNING: web.AppKey[asyncio.Semaphore] = web.AppKey("planning", asyncio.Semaphore)
"""Large plans are worked out one after the other: each takes a processor for seconds."""
_LONGEST: Final = 200


async def campaigns(request: web.Request, visitor: Visitor) -> web.Response:
    """All campaigns, or those of a tenant."""
    tenant, after = (
        _given(request, "tenant"),
        (_given(request, "after_tenant"), _given(request, "after")),
    )
    found = await asyncio.to_thread(read_campaigns, request.app[CONSOLE], tenant, after)
    return await show(request, visitor, "campaigns.html", {"listing": found})


async def campaign(request: web.Request, visitor: Visitor) -> web.Response:
    """One campaign: how it stands, who is not done, what comes, and what may be done."""
    return await campaign_page(request, visitor)


async def campaign_page(
    request: web.Request, visitor: Visitor, wrong: WrongField | None = None, *, status: int = 200
) -> web.Response:
    """The same, with what is `wrong` in a form of it."""
    values = {
        "found": await _read(request, visitor),
        "parts": PARTS,
        "presets": PRESETS,
        "words": words,
        "error": wrong,
    }
    return await show(request, visitor, "campaign.html", values, status=status)


async def stopping(request: web.Request, visitor: Visitor) -> web.Response:
    """The question before stopping."""
    return await show(
        request,
        visitor,
        "campaign_stop.html",
        {"found": await _read(request, visitor), "error": None},
    )


def key_of(request: web.Request) -> tuple[str, str]:
    """Which campaign the address of a page names: its tenant, and its id there."""
    return request.match_info["tenant"], request.match_info["campaign"]


async def _read(request: web.Request, visitor: Visitor) -> CampaignDetails:
    key, part = key_of(request), request.query.get("part", "")
    note(request, tenant=key[0])
    whole = request.query.get("plan") == "whole"
    wanted: dict[str, Any] = {
        "part": part if part in PARTS else "",
        "after": _given(request, "after"),
        "whole": whole,
    }
    async with request.app[PLANNING] if whole else nullcontext():
        return await asyncio.to_thread(
            read_campaign_page, request.app[CONSOLE], visitor, key, **wanted
        )


def _given(request: web.Request, name: str) -> str:
    """What the address of a page says; nothing, where it cannot be any id."""
    text = request.query.get(name, "").strip()
    return text if len(text) <= _LONGEST and text.isprintable() else ""
