"""Campaigns: what became of their reminders, and calling one off."""

from __future__ import annotations

import asyncio
from typing import Any

from certmail.gateway.api import models
from certmail.gateway.api.context import Answer, ApiCall
from certmail.gateway.api.handlers.deliveries import reached, shown_totals
from certmail.gateway.api.handlers.lists import query_of
from certmail.gateway.api.request.bodies import MAX_BYTES, read_json, read_model
from certmail.gateway.api.request.paging import read_cursor, write_cursor
from certmail_config.sql.deliveries import Filter
from certmail_config.sql.totals import CampaignPage, CampaignTotals, count_campaigns


async def campaigns(call: ApiCall) -> Answer:
    """GET /campaigns."""
    query = query_of(call, models.CampaignQuery)
    wanted = Filter(tenant=query.tenant, campaign=query.campaign)
    place = read_cursor(query.cursor, 2)
    after = (place[0], place[1]) if place else None

    def read() -> CampaignPage:
        with call.context.admin.db() as db:
            return count_campaigns(db, wanted, reached(call.grant), after=after, limit=query.limit)

    found = await asyncio.to_thread(read)
    last = found.campaigns[-1] if found.more else None
    following = write_cursor([last.tenant, last.campaign]) if last else None
    return Answer(
        200, models.CampaignPage(items=[_shown(each) for each in found.campaigns], next=following)
    )


async def body_of_cancel(call: ApiCall) -> dict[str, Any]:
    """The body of a request to call one off."""
    return await read_json(call.request, MAX_BYTES)


async def cancel(call: ApiCall, body: dict[str, Any]) -> Answer:
    """POST /campaigns:cancel."""
    wanted = read_model(models.CancelWanted, body)
    call.check_reach(wanted.tenant)

    by = f"by API key {call.grant.id}"
    done = await call.context.mailer.cancel_all(wanted.tenant, campaign=wanted.campaign, reason=by)
    counted = models.Cancelled(
        cancelled=done.cancelled, already_sending=done.already_sending, uncertain=done.uncertain
    )
    return Answer(200, counted)


def _shown(each: CampaignTotals) -> models.Campaign:
    return models.Campaign(
        tenant=each.tenant,
        campaign=each.campaign,
        totals=shown_totals(each.totals),
        enqueued_at=each.enqueued_at,
        updated_at=each.updated_at,
    )
