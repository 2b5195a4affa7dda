"""One tenant with a working connection, in the test's own process, with what a worker has.

Google is the sandbox, over real HTTP. Tests of worker modules that need no worker process use it;
`many_tenants.py` is for tests with a worker.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.test_utils import TestServer
from redis.asyncio import Redis

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.settings import Settings
from certmail_config.stores.connect import connect_async
from certmail_config.tenants.models import Connection, GoogleLimits
from certmail_sandbox.server import build
from certmail_worker.connections.probe import probe
from certmail_worker.delivery.context import DeliveryContext
from certmail_worker.delivery.settlement import Rules
from certmail_worker.delivery.shelf import TemplateShelf
from certmail_worker.google.gmail import Gmail
from certmail_worker.google.http import new_session
from certmail_worker.google.tenant_cache import Directory
from certmail_worker.google.token_client import TokenClient
from certmail_worker.google.tokens import Tokens
from support.deployment.deployment import METADATA_SCOPE, SEND_SCOPE

SERVICE_ACCOUNT = "certmail@acme-it.iam.gserviceaccount.com"
MAILBOX = "reviews@acme.example"


@dataclass(slots=True)
class OneTenant:
    """See the module."""

    google: str
    admin: Admin
    connection: Connection
    redis: Redis
    session: aiohttp.ClientSession

    def tokens(self, *, confirm_seconds: float = 60) -> Tokens:
        """The tokens of one worker process."""
        token_client = TokenClient(self.session, f"{self.google}/token", self.admin.vault, None)
        return Tokens(self.redis, self.admin.vault, token_client, confirm_seconds)

    def context(self) -> DeliveryContext:
        """What one worker process delivers with."""
        return DeliveryContext(
            worker="w",
            redis=self.redis,
            directory=Directory(self.redis, self.admin.vault),
            tokens=self.tokens(),
            gmail=Gmail(self.session, self.google),
            rules=Rules(),
            lease_seconds=45,
            send_window_seconds=5,
            templates=TemplateShelf(self.redis),
        )

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the sandbox's control API."""
        given: dict[str, Any] = {"data": body} if isinstance(body, str) else {"json": body}
        async with self.session.request(method, f"{self.google}/_sandbox{path}", **given) as answer:
            assert answer.ok, await answer.text()
            return await answer.json()

    async def asked(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(item["path"] == path for item in await self.control("GET", "/requests"))


@asynccontextmanager
async def one_tenant(data_dir: Path, redis_url: str) -> AsyncIterator[OneTenant]:
    """Set everything up; the tenant is `acme`, its connection works."""
    async with TestServer(build()) as server:
        google = str(server.make_url("")).rstrip("/")
        settings = Settings(
            data_dir=data_dir,
            redis_url=redis_url,
            google_token_url=f"{google}/token",
            google_x509_url=f"{google}/service_accounts/v1/metadata/x509/",
            gmail_url=google,
        )

        with open_admin(settings) as admin:
            async with (
                new_session(ca_file=None, timeout_seconds=10) as session,
                connect_async(redis_url) as redis,
            ):
                made = OneTenant(
                    google, admin, await asyncio.to_thread(_add, admin), redis, session
                )
                await made.control("POST", "/accounts", {"email": MAILBOX})
                await made.control(
                    "POST", "/service-accounts", {"email": SERVICE_ACCOUNT, "project": "acme-it"}
                )
                scopes = {"scopes": [SEND_SCOPE, METADATA_SCOPE]}
                await made.control("PUT", f"/service-accounts/{SERVICE_ACCOUNT}/delegation", scopes)
                await made.control(
                    "POST", f"/service-accounts/{SERVICE_ACCOUNT}/keys", made.connection.certificate
                )
                probed = await probe(made.connection, settings, admin.vault)
                made.connection = await asyncio.to_thread(admin.save, probed.connection)
                yield made


def _add(admin: Admin) -> Connection:
    admin.add_tenant("acme", name="ACME")
    return admin.add_customer_owned_app(
        "acme",
        "default",
        service_account=SERVICE_ACCOUNT,
        mailbox=MAILBOX,
        limits=GoogleLimits(15_000),
        valid_days=30,
        verify=True,
    )
