"""Running a new campaign: its form, what would come of it, and then running it.

Nothing is kept between the steps: each page carries what the next one needs, so what somebody
leaves is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web

from certmail.gateway.access_log import note
from certmail.gateway.console.campaigns.campaign_details import ShownOutlook
from certmail.gateway.console.campaigns.campaign_form import (
    CampaignForm,
    at_its_place,
    from_upload,
)
from certmail.gateway.console.campaigns.campaign_list import SUGGESTED, path_of
from certmail.gateway.console.campaigns.campaign_pages import PLANNING
from certmail.gateway.console.campaigns.uploads import UPLOADED
from certmail.gateway.console.campaigns.words import PRESETS
from certmail.gateway.console.context import CONSOLE, ConsoleContext
from certmail.gateway.console.form_fields import WrongField
from certmail.gateway.console.pages.views import show
from certmail.gateway.console.record import words
from certmail.gateway.console.sessions.sessions import Notice, Visitor
from certmail.gateway.console.tenant_lookup import first_tenants
from certmail.gateway.console.texts import N_
from certmail_config.admin.admin import Admin
from certmail_config.admin.campaigns.outlook import outlook_of_new
from certmail_config.admin.campaigns.reviewers import put_reviewers
from certmail_config.admin.campaigns.running import check_campaign, put_campaign
from certmail_config.base.errors import Refused, WrongUse
from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.moments_of_day import zone_names
from certmail_config.campaigns.plan import Enrolment, Moment
from certmail_config.campaigns.reading.reviewers import Reviewers
from certmail_config.campaigns.reading.rows import BadRow
from certmail_config.campaigns.running.states import CampaignState
from certmail_config.sql import registry
from certmail_config.sql.campaigns.campaigns import KeptCampaign, find_campaign
from certmail_config.tenants.models import Connection, ConnectionState

_PAGE: Final = 1000
BAD: Final = 50
MAILS: Final = 50
"""So many wrong rows, and first mails, are listed."""


@dataclass(frozen=True, slots=True)
class CampaignDraft:
    """A campaign that is to be run, and what would come of it."""

    typed: CampaignForm
    campaign: Campaign
    reviewers: int
    done: int
    bad: tuple[BadRow, ...]
    outlook: ShownOutlook
    mails: tuple[Moment, ...]
    connection: Connection

    @property
    def mailbox_waits(self) -> bool:
        """Whether its mailbox does not work yet."""
        return self.connection.state is not ConnectionState.ACTIVE


async def new_page(request: web.Request, visitor: Visitor) -> web.Response:
    """The form of a campaign; a tenant's page names the tenant."""
    tenant = request.query.get("tenant", "").strip()
    named = tenant if len(tenant) <= 63 and tenant.isprintable() else ""
    return await _form(request, visitor, CampaignForm(tenant=named))


async def new(request: web.Request, visitor: Visitor) -> web.StreamResponse:
    """Say what would come of what was typed; run it, or have it typed again."""
    form = request[UPLOADED]
    try:
        typed = from_upload(form)
    except WrongField as error:
        return await _form(request, visitor, _without_files(form), error)
    if form.get("step") == "change":
        return await _form(request, visitor, replace(typed, toml=""))

    typed = typed.starting(datetime.now(UTC))
    note(request, tenant=typed.tenant)
    try:
        with at_its_place():
            campaign = typed.campaign()
            if form.get("step") == "run":
                return await _run(request, visitor, typed, campaign)
            return await _preview(request, visitor, typed, campaign)
    except WrongField as error:
        return await _form(request, visitor, typed, error)


async def _run(
    request: web.Request, visitor: Visitor, typed: CampaignForm, campaign: Campaign
) -> web.StreamResponse:
    """Put it with its reviewers, unless a row is wrong and nobody has said to leave it out."""
    found = await asyncio.to_thread(typed.reviewers, campaign)
    if found.bad and request[UPLOADED].get("without") != "1":
        message = N_("Tick that it is run without the rows that are wrong, or correct the file.")
        wrong = WrongField("without", WrongUse("wrong_rows", message, ""))
        return await _preview(request, visitor, typed, campaign, wrong)

    context = request.app[CONSOLE]
    await asyncio.to_thread(context.space.require)
    async with request.app[PLANNING]:
        kept = await asyncio.to_thread(
            _put, context.admin.acting_as(visitor.actor), campaign, found
        )
    message = N_("The campaign runs. A worker makes its first mails now.")
    await asyncio.to_thread(context.sessions.tell, visitor, Notice(good=True, message=message))
    raise web.HTTPSeeOther(path_of(*kept.key))


def _put(admin: Admin, campaign: Campaign, found: Reviewers) -> KeptCampaign:
    """Put it, and go on where it was put by a request before that broke off; raises Refused."""
    was = _there(admin, campaign)
    kept = put_campaign(admin, campaign, only_new=was is None).kept
    for start in range(0, len(found.reviewers), _PAGE):
        put_reviewers(admin, *kept.key, found.reviewers[start : start + _PAGE])
    return kept


def _there(admin: Admin, campaign: Campaign) -> KeptCampaign | None:
    """The very same campaign, if it is there already; raises Refused for another one of its id."""
    with admin.db() as db:
        was = find_campaign(db, campaign.tenant, campaign.id)
    if was is None or (was.campaign == campaign and was.state is not CampaignState.STOPPED):
        return was
    raise Refused(
        "campaign_exists",
        f"There is a campaign {campaign.id!r} of {campaign.tenant!r} already.",
        "Give this one another id. A campaign that is there is changed by command line or API.",
    )


async def _preview(
    request: web.Request,
    visitor: Visitor,
    typed: CampaignForm,
    campaign: Campaign,
    wrong: WrongField | None = None,
) -> web.Response:
    async with request.app[PLANNING]:
        draft = await asyncio.to_thread(_draft, request.app[CONSOLE], typed, campaign)
    values = {"draft": draft, "error": wrong, "presets": PRESETS, "words": words, "most": BAD}
    status = 400 if wrong else 200
    return await show(request, visitor, "campaign_preview.html", values, status=status)


def _draft(context: ConsoleContext, typed: CampaignForm, campaign: Campaign) -> CampaignDraft:
    admin, now = context.admin, datetime.now(UTC)
    check_campaign(admin, campaign)
    _there(admin, campaign)
    found = typed.reviewers(campaign)
    coming = outlook_of_new(admin, Enrolment(campaign, found.reviewers), now)
    with admin.db() as db:
        connection = registry.find_connection(db, campaign.tenant, campaign.connection)
    assert connection is not None, "looked at above"
    return CampaignDraft(
        typed,
        campaign,
        len(found.reviewers),
        sum(each.pending == 0 for each in found.reviewers),
        tuple(found.bad),
        ShownOutlook.of(coming, campaign.due, campaign.time_zone),
        coming.plan.moments[:MAILS],
        connection,
    )


def _without_files(form: Mapping[str, Any]) -> CampaignForm:
    """What was typed beside a file that cannot be used."""
    return from_upload({name: value for name, value in form.items() if isinstance(value, str)})


async def _form(
    request: web.Request, visitor: Visitor, typed: CampaignForm, error: WrongField | None = None
) -> web.Response:
    context = request.app[CONSOLE]

    def tenants() -> tuple[str, ...]:
        with context.admin.db() as db:
            return first_tenants(db, SUGGESTED)

    values = {
        "typed": typed,
        "error": error,
        "presets": PRESETS,
        "tenants": await asyncio.to_thread(tenants),
        "zones": sorted(zone_names()),
    }
    status = 400 if error else 200
    return await show(request, visitor, "campaign_form.html", values, status=status)
