"""The values that every handler takes and returns."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from aiohttp import web
from pydantic import BaseModel

from certmail.client.async_mailer import AsyncMailer
from certmail.gateway.access_log import note
from certmail.gateway.api.models import Fault
from certmail.gateway.api.request.authentication import Authenticator
from certmail.gateway.api.request.concurrency import Turns
from certmail.gateway.api.request.problems import ApiProblem
from certmail.gateway.redis_room import Space
from certmail_config.admin.admin import Admin
from certmail_config.metrics.instruments import GatewayMeters
from certmail_config.tenants.api_keys import KeyGrant

NO_STORE: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""Headers of every answer: it may be personal."""


@dataclass(frozen=True, slots=True)
class ApiContext:
    """The stores and limits that the API works with."""

    admin: Admin
    mailer: AsyncMailer
    authenticator: Authenticator
    base: str
    """The gateway's address as clients reach it."""
    space: Space
    batches: Turns
    lists: Turns
    validating: asyncio.Lock
    """Held by whoever checks the reminders of a batch."""
    publishing: asyncio.Lock
    """Held by whoever publishes templates: composing all their mails takes a processor."""
    meters: GatewayMeters


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One request that was authenticated."""

    context: ApiContext
    grant: KeyGrant
    request: web.Request

    @property
    def path_id(self) -> str:
        """The `{id}` of the address."""
        return self.request.match_info["id"]

    @property
    def path_tenant(self) -> str:
        """The `{tenant}` of the address."""
        return self.request.match_info["tenant"]

    @property
    def path_webhook(self) -> str:
        """The `{webhook}` of the address."""
        return self.request.match_info["webhook"]

    @property
    def path_campaign(self) -> str:
        """The `{campaign}` of the address."""
        return self.request.match_info["campaign"]

    def check_reach(self, tenant: str, pointer: str = "/tenant") -> None:
        """Check that the API key reaches a tenant; raises ApiProblem.

        `pointer` is where the body names it.
        """
        if self.grant.reaches(tenant):
            note(self.request, tenant=tenant)
            return

        detail = f"The API key {self.grant.id} does not reach the tenant {tenant!r}."
        fault = Fault(pointer=pointer, code="tenant_not_allowed", detail=detail)
        raise ApiProblem("tenant_not_allowed", detail, faults=[fault])


@dataclass(frozen=True)
class Answer:
    """The answer to a request, but for problems, which are raised.

    `repeatable`: an Idempotency-Key gets it again. Where nothing was done, doing it again gives the
    same.
    """

    status: int
    model: BaseModel
    headers: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = True

    @cached_property
    def text(self) -> str:
        """The answer as it is written."""
        return self.model.model_dump_json()
