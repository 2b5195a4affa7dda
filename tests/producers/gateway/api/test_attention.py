"""What needs a person, over the HTTP API: as far as the key reaches, and its scopes allow."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from certmail_config.admin.admin import Admin
from certmail_config.admin.api_keys import create_key
from certmail_config.admin.suspension import stop_everything
from certmail_config.base import redis_keys
from certmail_config.ledger import run
from certmail_config.ledger.workers import advertise
from certmail_config.sql import tables
from certmail_config.tenants.api_keys import KeyScope
from certmail_config.tenants.models import GoogleLimits
from certmail_worker.recording.writer import read_cursor, write
from support.campaigns.kept import unplanned
from support.data.events import begun, enqueued, settled


@pytest.fixture
async def lost(admin: Admin) -> None:
    """A reminder of which nobody knows whether it arrived, and a worker that runs."""

    def lose() -> None:
        events = [enqueued(1, "j1", to="ann@people.example"), begun(2, job="j1")]
        events += [settled(3, "uncertain", "unknown", job="j1", reason="answer_lost: gone")]
        write(admin.engine, read_cursor(admin.engine), events)
        admin.redis.hset(redis_keys.JOB + "j1", mapping={"state": "uncertain", "held": "1"})
        run(admin.redis, advertise("w", 1, seconds=1e6))

    await asyncio.to_thread(lose)


async def with_scopes(client: Any, admin: Admin, *scopes: KeyScope, tenant: str = "acme") -> Any:
    _, key = await asyncio.to_thread(create_key, admin, "k", tenants=[tenant], scopes=list(scopes))
    return replace(client, key=key)


async def test_unknown_outcomes_are_told_with_who_is_to_decide(client: Any, lost: None) -> None:
    status, found = await client.get("/v1/attention")
    [reminder] = found["uncertain"]["reminders"]
    assert (status, found["calm"], found["stopped"]) == (200, False, [])
    assert (reminder["job"], reminder["recipient"], reminder["waits_for"]) == (
        "j1", "ann@people.example", "a person",
    )  # fmt: skip
    assert (found["uncertain"]["total"], found["uncertain"]["capped"]) == (1, False)
    assert (await client.get("/v1/attention?campaign=q3"))[1]["uncertain"]["total"] == 0


async def test_of_tenants_that_the_key_reaches_only(client: Any, admin: Admin, lost: None) -> None:
    other = await with_scopes(client, admin, *KeyScope, tenant="globex")
    assert (await other.get("/v1/attention"))[1]["calm"] is True
    assert (await other.get("/v1/attention?tenant=acme"))[1]["uncertain"]["total"] == 0


async def test_what_the_scopes_do_not_cover_is_null(client: Any, admin: Admin, lost: None) -> None:
    def end_soon() -> None:
        made = admin.add_customer_owned_app(
            "acme",
            "default",
            service_account="certmail@acme-it.iam.gserviceaccount.com",
            mailbox="reviews@acme.example",
            limits=GoogleLimits(),
            valid_days=60,
        )
        soon = datetime.now(UTC) + timedelta(days=6)
        table = tables.connections
        with admin.db() as db:
            db.execute(update(table).where(table.c.id == made.id).values(not_after=soon))

    await asyncio.to_thread(end_soon)
    few = await with_scopes(client, admin, KeyScope.DELIVERIES_READ)
    _, found = await few.get("/v1/attention")
    named = ("connections", "certificates", "webhooks", "campaigns")
    assert [found[name] for name in named] == [None] * 4

    more = await with_scopes(client, admin, KeyScope.DELIVERIES_READ, KeyScope.TENANTS_READ)
    _, found = await more.get("/v1/attention")
    assert ("rotate" in found["certificates"][0]["remedy"], found["webhooks"]) == (True, None)


async def test_what_stops_everything_is_told_with_how_it_goes_on(client: Any, admin: Admin) -> None:
    await asyncio.to_thread(stop_everything, admin, on=True, reason="")
    _, found = await client.get("/v1/attention")
    assert [each["remedy"] for each in found["stopped"]][1] == "certmail resume"
    assert "No worker is running" in found["stopped"][0]["message"]
    assert found["calm"] is False


async def test_campaigns_that_cannot_be_planned_are_told_with_why(
    client: Any, admin: Admin
) -> None:
    await asyncio.to_thread(run, admin.redis, advertise("w", 1, seconds=1e6))
    await asyncio.to_thread(unplanned, admin.engine)
    _, found = await client.get("/v1/attention")
    [campaign] = found["campaigns"]
    assert (found["calm"], campaign["campaign"], campaign["failures"]) == (False, "2026-q4", 1)
    assert campaign["message"] == "unknown_connection: it is gone"
    assert campaign["remedy"].endswith("certmail campaign show acme/2026-q4")
    assert (await client.get("/v1/attention?campaign=other"))[1]["campaigns"] == []
