"""Webhooks, as far as the API key reaches all tenants that one is told of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeVar

from certmail.gateway.api import models
from certmail.gateway.api.context import Answer, ApiCall
from certmail.gateway.api.handlers.lists import cut, query_of
from certmail.gateway.api.request.bodies import MAX_BYTES, read_json, read_model
from certmail.gateway.api.request.problems import KINDS, ApiProblem, InvalidRequest
from certmail_config.admin.admin import Admin
from certmail_config.admin.webhooks import changing, endpoints, running
from certmail_config.admin.webhooks.trial import try_out
from certmail_config.base.errors import Refused, WrongUse
from certmail_config.sql.webhooks.endpoints import EVERY_TENANT, Endpoint

T = TypeVar("T")
SHOWN: Final = 300
"""Characters of a receiver's answer that a client is shown."""
_FIELDS: Final = {"invalid_url": "/url", "unknown_type": "/types", "unknown_tenant": "/tenants"}
"""The field of each thing that may be wrong with what is well formed, by its code."""


async def webhooks(call: ApiCall) -> Answer:
    """GET /webhooks."""
    query = query_of(call, models.WebhookQuery)
    found = await asyncio.to_thread(endpoints.list_webhooks, call.context.admin)
    ours = [each for each in found if _reaches(call, each)]
    page, following = cut(ours, query, lambda each: [each.id], 1)
    shown = [models.Webhook.model_validate(_shown(each)) for each in page]
    return Answer(200, models.WebhookPage(items=shown, next=following))


async def body_of_add(call: ApiCall) -> dict[str, Any]:
    """The body of a request to make one."""
    return await read_json(call.request, MAX_BYTES)


async def add(call: ApiCall, value: dict[str, Any]) -> Answer:
    """POST /webhooks."""
    wanted = read_model(models.WebhookWanted, value)
    for place, tenant in enumerate(wanted.tenants):
        call.check_reach(tenant, f"/tenants/{place}")

    made, secret = await _carry_out(
        lambda: endpoints.add_webhook(
            _acting(call),
            wanted.url,
            tenants=wanted.tenants,
            types=wanted.types,
            name=wanted.name,
        )
    )
    return Answer(201, models.WebhookWithSecret.model_validate(_shown(made) | {"secret": secret}))


async def show(call: ApiCall) -> Answer:
    """GET /webhooks/{webhook}."""
    await _found(call)
    view = await _carry_out(lambda: endpoints.view_webhook(call.context.admin, call.path_webhook))
    kept = {
        "waiting": view.kept.waiting,
        "delivered": view.kept.delivered,
        "failed": view.kept.failed,
        "messages": list(view.newest),
    }
    return Answer(200, models.WebhookDetails.model_validate(_shown(view.endpoint) | kept))


async def remove(call: ApiCall) -> Answer:
    """DELETE /webhooks/{webhook}."""
    return await _changed(call, endpoints.remove_webhook)


async def pause(call: ApiCall) -> Answer:
    """POST /webhooks/{webhook}/pause."""
    return await _changed(call, running.pause_webhook)


async def resume(call: ApiCall) -> Answer:
    """POST /webhooks/{webhook}/resume."""
    return await _changed(call, running.resume_webhook)


async def try_one(call: ApiCall) -> Answer:
    """POST /webhooks/{webhook}/test."""
    trial = await try_out(call.context.admin, await _found(call))
    came = trial.came
    return Answer(
        200,
        models.WebhookTrial(
            message=trial.message,
            taken=came.taken,
            status=came.status,
            why=came.why,
            seconds=round(came.seconds, 3),
            answer=came.answer.decode("utf-8", "replace")[:SHOWN],
        ),
    )


async def body_of_change(call: ApiCall) -> dict[str, Any]:
    """The body of a request about one of them."""
    await _found(call)
    return await read_json(call.request, MAX_BYTES)


async def change(call: ApiCall, value: dict[str, Any]) -> Answer:
    """PATCH /webhooks/{webhook}."""
    wanted = read_model(models.WebhookChange, value)
    if wanted == models.WebhookChange():
        sentence = "name what is to change: url, types or name"
        raise InvalidRequest("invalid_body", [("", "", "missing", sentence)])

    changed = await _carry_out(
        lambda: changing.change_webhook(
            _acting(call), call.path_webhook, url=wanted.url, types=wanted.types, name=wanted.name
        )
    )
    return Answer(200, models.Webhook.model_validate(_shown(changed)))


async def rotate(call: ApiCall, value: dict[str, Any]) -> Answer:
    """POST /webhooks/{webhook}/rotate."""
    wanted = read_model(models.RotateWanted, value)
    changed, secret = await _carry_out(
        lambda: running.rotate_webhook(_acting(call), call.path_webhook, hours=wanted.hours)
    )
    shown = _shown(changed) | {"secret": secret}
    return Answer(200, models.WebhookWithSecret.model_validate(shown))


async def replay(call: ApiCall, value: dict[str, Any]) -> Answer:
    """POST /webhooks/{webhook}/replay."""
    wanted = read_model(models.ReplayWanted, value)
    admin, id_ = _acting(call), call.path_webhook
    chosen = [wanted.message is not None, wanted.since is not None, wanted.failed]
    if chosen.count(True) != 1:
        sentence = "name exactly one of message, since and failed"
        raise InvalidRequest("invalid_body", [("", "", "missing", sentence)])

    def carry_out() -> int:
        if wanted.message is not None:
            return running.replay_one(admin, id_, wanted.message)
        if wanted.since is not None:
            return running.replay_since(admin, id_, wanted.since)
        return running.replay_failed(admin, id_)

    return Answer(200, models.Replayed(replayed=await _carry_out(carry_out)))


async def _changed(call: ApiCall, change: Callable[[Admin, str], Endpoint]) -> Answer:
    await _found(call)
    changed = await _carry_out(lambda: change(_acting(call), call.path_webhook))
    return Answer(200, models.Webhook.model_validate(_shown(changed)))


async def _found(call: ApiCall) -> Endpoint:
    """The endpoint of the address; raises ApiProblem also where the key does not reach it."""
    id_ = call.path_webhook
    found = await _carry_out(lambda: endpoints.get_webhook(call.context.admin, id_))
    if not _reaches(call, found):
        raise ApiProblem("unknown_webhook", f"There is no webhook {id_!r}.")
    return found


def _acting(call: ApiCall) -> Admin:
    """The admin, acting in the API key's name."""
    return call.context.admin.acting_as(f"API key {call.grant.id}")


def _reaches(call: ApiCall, endpoint: Endpoint) -> bool:
    """Whether the key may touch whatever an endpoint is told of."""
    return EVERY_TENANT in call.grant.tenants or endpoint.tenants <= call.grant.tenants


async def _carry_out(do: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(do)
    except (Refused, WrongUse) as error:
        if error.code in KINDS:
            raise ApiProblem(error.code, error.message, remedy=error.remedy) from None
        pointer = _FIELDS.get(error.code, "")
        fault = models.Fault(pointer=pointer, code=error.code, detail=error.message)
        raise ApiProblem(
            "invalid_body", error.message, faults=[fault], remedy=error.remedy
        ) from None


def _shown(endpoint: Endpoint) -> dict[str, Any]:
    health = endpoint.health
    return {
        "id": endpoint.id,
        "name": endpoint.name,
        "url": endpoint.url,
        "tenants": sorted(endpoint.tenants),
        "types": sorted(endpoint.types),
        "state": health.state,
        "code": health.code,
        "since": health.since,
        "error": endpoint.error,
        "failing_since": health.failing_since,
        "next_at": health.next_at,
        "succeeded_at": health.succeeded_at,
        "previous_secret_until": endpoint.previous_until,
        "created_at": endpoint.created_at,
    }
