"""What needs a person, as far as the API key reaches."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, Final

from certmail.gateway.api import models
from certmail.gateway.api.context import Answer, ApiCall
from certmail.gateway.api.handlers.deliveries import reached
from certmail.gateway.api.handlers.lists import query_of
from certmail_config.status.attention.attention import AttentionScope, read_attention
from certmail_config.status.attention.told import told
from certmail_config.tenants.api_keys import KeyScope

_ALSO_NEEDED: Final = {
    "connections": KeyScope.TENANTS_READ,
    "certificates": KeyScope.TENANTS_READ,
    "webhooks": KeyScope.WEBHOOKS_READ,
    "campaigns": KeyScope.CAMPAIGNS_READ,
}


async def attention(call: ApiCall) -> Answer:
    """GET /attention."""
    query = query_of(call, models.AttentionQuery)
    tenants, now = reached(call.grant), datetime.now(UTC)
    if query.tenant is not None:
        tenants = frozenset({query.tenant} if call.grant.reaches(query.tenant) else ())
    scope = AttentionScope(tenants, query.campaign)

    def read() -> dict[str, Any]:
        admin = call.context.admin
        with admin.db() as db:
            return told(read_attention(db, admin.redis, scope, now), now)

    found = await asyncio.to_thread(read)
    for name, scope_of_it in _ALSO_NEEDED.items():
        if scope_of_it not in call.grant.scopes:
            found[name] = None

    lists = (found["stopped"], found["uncertain"]["total"], *(found[name] for name in _ALSO_NEEDED))
    return Answer(200, models.Attention.model_validate(found | {"calm": not any(lists)}))
