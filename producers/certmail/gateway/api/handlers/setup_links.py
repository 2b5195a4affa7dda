"""Making set-up links, which lead a tenant's administrator to certmail's own pages.

An upstream application asks for them.
"""

from __future__ import annotations

import asyncio
from typing import Any

from certmail.gateway.api import models
from certmail.gateway.api.context import Answer, ApiCall
from certmail.gateway.api.request.bodies import MAX_BYTES, read_json, read_model
from certmail.gateway.api.request.problems import KINDS, ApiProblem
from certmail_config.admin.setup_links import issue
from certmail_config.base.errors import Refused, WrongUse

_FIELDS = {
    "return_url_not_allowed": "return_url",
    "unknown_tenant": "tenant",
}
"""The field of each thing that may be wrong with what is well formed, by its code."""


async def body(call: ApiCall) -> dict[str, Any]:
    """The body of a request to make one."""
    return await read_json(call.request, MAX_BYTES)


async def make(call: ApiCall, value: dict[str, Any]) -> Answer:
    """POST /setup-links."""
    wanted = read_model(models.SetupLinkWanted, value)
    call.check_reach(wanted.tenant)
    await asyncio.to_thread(call.context.space.require)

    try:
        made = await asyncio.to_thread(
            issue,
            call.context.admin.acting_as(f"API key {call.grant.id}"),
            wanted.tenant,
            name=wanted.connection,
            return_url=wanted.return_url or "",
            state=wanted.state or "",
            again=wanted.again,
        )
    except (Refused, WrongUse) as error:
        if error.code in KINDS:
            raise ApiProblem(error.code, error.message, remedy=error.remedy) from None

        place = _FIELDS.get(error.code)
        pointer = f"/{place}" if place else ""
        fault = models.Fault(pointer=pointer, code=error.code, detail=error.message)
        raise ApiProblem(
            "invalid_body", error.message, faults=[fault], remedy=error.remedy
        ) from None

    link = models.SetupLink(
        tenant=made.tenant, connection=made.connection, url=made.url, expires_at=made.expires_at
    )
    return Answer(201, link)
