"""Campaigns whose reminders certmail plans: put, shown, paused, resumed, stopped, removed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from certmail.gateway.api import models
from certmail.gateway.api.context import Answer, ApiCall
from certmail.gateway.api.handlers.lists import query_of
from certmail.gateway.api.request.bodies import MAX_BYTES, read_json, read_model
from certmail.gateway.api.request.paging import read_cursor, write_cursor
from certmail.gateway.api.request.problems import KINDS, ApiProblem, InvalidRequest
from certmail_config.admin.admin import Admin
from certmail_config.admin.campaigns import running, views
from certmail_config.admin.campaigns.documents import (
    campaign_document,
    plan_document,
    view_document,
)
from certmail_config.admin.campaigns.running import ANY
from certmail_config.base.errors import Refused, WrongUse
from certmail_config.campaigns.campaign import Campaign
from certmail_config.sql.campaigns.campaigns import KeptCampaign, list_campaigns
from certmail_config.tenants.api_keys import EVERY_TENANT

T = TypeVar("T")
_FIELDS: Final = {"unknown_connection": "/connection", "no_working_day": "/calendar"}
"""The field of each thing that may be wrong with what is well formed, by its code."""
_TAG: Final = re.compile(r'"([1-9][0-9]{0,8})"')


def tenant_of(call: ApiCall) -> str:
    """The tenant that a request is about, which the key reaches; raises ApiProblem."""
    given = query_of(call, models.CampaignOf).tenant
    if given is None:
        given = _only_tenant(call)
    if given is None:
        sentence = "name the tenant: the API key reaches several"
        raise InvalidRequest(
            "invalid_query", [("tenant", "tenant", "missing", sentence)], place="parameter"
        )
    call.check_reach(given)
    return given


async def carry_out(do: Callable[[], T]) -> T:
    """Do it beside the loop; what is refused is raised as ApiProblem."""
    try:
        return await asyncio.to_thread(do)
    except (Refused, WrongUse) as error:
        code = "no_such_tenant" if error.code == "unknown_tenant" else error.code
        if code in KINDS:
            raise ApiProblem(code, error.message, remedy=error.remedy) from None
        pointer = _FIELDS.get(error.code, "")
        fault = models.Fault(pointer=pointer, code=error.code, detail=error.message)
        raise ApiProblem(
            "invalid_body", error.message, faults=[fault], remedy=error.remedy
        ) from None


def acting(call: ApiCall) -> Admin:
    """The administration on behalf of the API key."""
    return call.context.admin.acting_as(f"API key {call.grant.id}")


async def planned(call: ApiCall) -> Answer:
    """GET /campaigns:planned."""
    query = query_of(call, models.PlannedCampaignQuery)
    reached = None if EVERY_TENANT in call.grant.tenants else call.grant.tenants
    if query.tenant is not None:
        reached = frozenset({query.tenant} if call.grant.reaches(query.tenant) else ())
    place = read_cursor(query.cursor, 2)
    after = (place[0], place[1]) if place else ("", "")

    def read() -> list[KeptCampaign]:
        with call.context.admin.db() as db:
            return list_campaigns(db, reached, after, query.limit + 1)

    found = await asyncio.to_thread(read)
    page = found[: query.limit]
    following = write_cursor(page[-1].key) if len(found) > len(page) else None
    return Answer(
        200, models.PlannedCampaignPage(items=[_shown(each) for each in page], next=following)
    )


async def body_of_put(call: ApiCall) -> dict[str, Any]:
    """The body of a request to put one."""
    return await read_json(call.request, MAX_BYTES)


async def put(call: ApiCall, value: dict[str, Any]) -> Answer:
    """PUT /campaigns/{campaign}."""
    campaign = read_model(Campaign, _with_address(call, value))
    call.check_reach(campaign.tenant)
    if campaign.id != call.path_campaign:
        sentence = f"the address names the campaign {call.path_campaign!r}"
        raise InvalidRequest("invalid_body", [("id", "/id", "other_id", sentence)])

    await asyncio.to_thread(call.context.space.require)
    only_new, instead_of = _conditions(call.request.headers)
    admin = acting(call)
    done = await carry_out(
        lambda: running.put_campaign(admin, campaign, instead_of=instead_of, only_new=only_new)
    )
    return _answer(done.kept, 201 if done.was is None else 200)


async def show(call: ApiCall) -> Answer:
    """GET /campaigns/{campaign}."""
    tenant = tenant_of(call)
    view = await carry_out(
        lambda: views.view_campaign(call.context.admin, tenant, call.path_campaign)
    )
    model = models.PlannedCampaignDetails.model_validate(view_document(view))
    return Answer(200, model, _tagged(view.kept))


async def plan(call: ApiCall) -> Answer:
    """GET /campaigns/{campaign}/plan."""
    tenant, id_, admin = tenant_of(call), call.path_campaign, call.context.admin
    now = datetime.now(UTC)

    # One after the other: each takes a processor for seconds where reviewers are many.
    async with call.context.publishing:
        found = await carry_out(lambda: views.coming_of_campaign(admin, tenant, id_, now))
    return Answer(200, models.CampaignPlan.model_validate(plan_document(found)))


async def pause(call: ApiCall) -> Answer:
    """POST /campaigns/{campaign}/pause."""
    return await _changed(call, running.pause_campaign)


async def resume(call: ApiCall) -> Answer:
    """POST /campaigns/{campaign}/resume."""
    return await _changed(call, running.resume_campaign)


async def stop(call: ApiCall) -> Answer:
    """POST /campaigns/{campaign}/stop."""
    return await _changed(call, running.stop_campaign)


async def remove(call: ApiCall) -> Answer:
    """DELETE /campaigns/{campaign}."""
    return await _changed(call, running.remove_campaign)


async def _changed(call: ApiCall, change: Callable[[Admin, str, str], KeptCampaign]) -> Answer:
    tenant, admin = tenant_of(call), acting(call)
    return _answer(await carry_out(lambda: change(admin, tenant, call.path_campaign)))


def _with_address(call: ApiCall, value: dict[str, Any]) -> dict[str, Any]:
    """The body with what the address and the key say, where it does not."""
    known = {"id": call.path_campaign}
    if tenant := _only_tenant(call):
        known["tenant"] = tenant
    return known | value


def _only_tenant(call: ApiCall) -> str | None:
    if len(call.grant.tenants) != 1 or EVERY_TENANT in call.grant.tenants:
        return None
    return next(iter(call.grant.tenants))


def _conditions(headers: Mapping[str, str]) -> tuple[bool, int | None]:
    """Whether there must be none yet, and which version there must be; raises ApiProblem."""
    only_new, if_match = headers.get("If-None-Match"), headers.get("If-Match")
    if only_new not in {None, "*"}:
        raise _wrong_header("If-None-Match", "only * is known: put it if there is none yet")
    if if_match is None or if_match.strip() == "*":
        return only_new is not None, None if if_match is None else ANY
    found = _TAG.fullmatch(if_match.strip())
    if found is None:
        raise _wrong_header("If-Match", 'neither * nor one ETag, such as "3"')
    return only_new is not None, int(found[1])


def _wrong_header(name: str, detail: str) -> ApiProblem:
    fault = models.Fault(parameter=name, code="invalid_header", detail=detail)
    return ApiProblem("invalid_header", f"{name}: {detail}.", faults=[fault])


def _answer(kept: KeptCampaign, status: int = 200) -> Answer:
    return Answer(status, _shown(kept), _tagged(kept))


def _tagged(kept: KeptCampaign) -> dict[str, str]:
    return {"ETag": f'"{kept.version}"'}


def _shown(kept: KeptCampaign) -> models.PlannedCampaign:
    return models.PlannedCampaign.model_validate(campaign_document(kept))
