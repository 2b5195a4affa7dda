"""What a tenant writes in its mails itself: shown, and published."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from certmail.gateway.api import models
from certmail.gateway.api.context import Answer, ApiCall
from certmail.gateway.api.request.bodies import read_json, read_model
from certmail.gateway.api.request.problems import ApiProblem, InvalidRequest
from certmail_config.admin.templates.publishing import TemplatesState, publish, templates_of
from certmail_config.base.errors import Refused
from certmail_config.templates.documents import LARGEST
from certmail_config.templates.findings import Finding, TemplatesRefused, faults_of

_MAX_BYTES: Final = LARGEST + 64 * 1024
_MAX_VALUES: Final = 5_000


async def show(call: ApiCall) -> Answer:
    """GET /tenants/{tenant}/templates."""
    tenant = call.path_tenant
    call.check_reach(tenant, "")

    try:
        state = await asyncio.to_thread(templates_of, call.context.admin, tenant)
    except Refused as error:
        raise _problem(error) from None
    return Answer(200, _shown(state))


async def body(call: ApiCall) -> dict[str, Any]:
    """The body of a request to publish."""
    call.check_reach(call.path_tenant, "")
    return await read_json(call.request, _MAX_BYTES, _MAX_VALUES)


async def put(call: ApiCall, value: dict[str, Any]) -> Answer:
    """PUT /tenants/{tenant}/templates."""
    tenant = call.path_tenant
    wanted = read_model(models.TemplatesWanted, value)
    await asyncio.to_thread(call.context.space.require)
    admin = call.context.admin.acting_as(f"API key {call.grant.id}")

    try:
        async with call.context.publishing:
            state, hints = await asyncio.to_thread(
                publish, admin, tenant, wanted.templates, instead_of=wanted.instead_of
            )
    except TemplatesRefused as refused:
        raise _invalid(refused) from None
    except Refused as error:
        raise _problem(error) from None
    return Answer(200, _shown(state, hints))


def _shown(state: TemplatesState, findings: Sequence[Finding] = ()) -> models.TenantTemplates:
    published = state.published
    return models.TenantTemplates(
        tenant=state.tenant,
        version=state.version or None,
        published_at=published.at if published else None,
        published_by=published.by if published else None,
        templates=state.document.model_dump(mode="json", exclude_defaults=True),
        suspended=dict(state.off),
        findings=[
            models.TemplateFinding(
                severity=each.severity, place=each.place, line=each.line, message=each.message
            )
            for each in findings
        ],
    )


def _invalid(refused: TemplatesRefused) -> InvalidRequest:
    named = [
        (str(each.place), _pointer(each.place), "template_fault", _said(each))
        for each in faults_of(refused.findings)
    ]
    return InvalidRequest("invalid_templates", named)


def _said(finding: Finding) -> str:
    return f"line {finding.line}: {finding.message}" if finding.line else finding.message


def _pointer(place: str) -> str:
    """Where in the body a place is: those of texts are named by locale, kind and block."""
    inside = place if place.startswith(("brand", "locale", "texts")) else f"texts/{place}"
    parts = inside.split("/")
    if parts[:2] == ["brand", "footer"] and parts[2:]:
        parts[2] = str(int(parts[2]) - 1)
    return "/templates/" + "/".join(part.replace("~", "~0") for part in parts)


def _problem(error: Refused) -> ApiProblem:
    if error.code == "unknown_tenant":
        return ApiProblem("no_such_tenant", error.message)
    return ApiProblem("templates_changed", error.message, remedy=error.remedy)
