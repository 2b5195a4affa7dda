"""Tenants in the console, over HTTP: the list, one tenant's page, and limits that are changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import asdict

import pytest

from certmail_config.admin.admin import Admin
from certmail_config.admin.suspension import pause_tenant
from certmail_config.base import redis_keys
from certmail_config.tenants.models import Connection, GoogleLimits
from certmail_worker.recording.rows import Event
from support.data.events import enqueued, happened
from support.deployment.console_browser import Browser

Record = Callable[[Iterable[Event]], None]


@pytest.fixture
async def connection(admin: Admin) -> Connection:
    """What acme sends from, once it is linked."""
    return await asyncio.to_thread(
        admin.add_service_provider_app, "acme", "default", limits=GoogleLimits()
    )


async def test_the_list_by_name_and_what_is_looked_for(browser: Browser) -> None:
    said = await browser.get("/console/tenants")
    assert said.index("Acme Ltd") < said.index("globex")
    assert "Acme Ltd" not in await browser.get("/console/tenants?q=GLOB")
    assert "Nothing found" in await browser.get("/console/tenants?q=nobody")


async def test_a_tenants_page_has_its_counts_campaigns_and_what_was_done(
    browser: Browser, admin: Admin, record: Record, connection: Connection
) -> None:
    events = [
        enqueued(1, "j1", to="ann@people.example"),
        enqueued(2, "j2", to="bob@people.example", campaign="q5"),
        happened(3, "cancelled", "cancelled", "cancelled: by ann", "j2"),
    ]
    await asyncio.to_thread(record, events)
    await asyncio.to_thread(pause_tenant, admin, "acme", on=True, reason="quarter end")
    said = await browser.get("/console/tenants/acme")
    assert "1 Waiting" in said
    assert "q5 1 Not sent" in said
    assert "An operator lets nothing of acme leave" in said
    assert "Paused" in said
    assert (
        'href="/console/deliveries?tenant=acme&amp;campaign=q5&amp;state=not-sent"' in browser.page
    )


@pytest.mark.parametrize("path", ["nobody", "acme%00", "ACME", "x" * 300])
async def test_there_is_no_page_of_a_tenant_that_is_not_there(browser: Browser, path: str) -> None:
    await browser.get(f"/console/tenants/{path}")
    assert browser.status == 404


class TestLimits:
    async def test_those_that_differ_are_changed_and_count_at_once(
        self, browser: Browser, admin: Admin, connection: Connection
    ) -> None:
        await browser.get("/console/tenants/acme")
        form = {name: str(value) for name, value in asdict(connection.limits).items()}
        path = f"/console/tenants/acme/connections/{connection.id}/limits"
        said = await browser.post(path, **form | {"per_day": "1,500"})
        assert (browser.path, "The limits are changed" in said) == ("/console/tenants/acme", True)
        changed = await asyncio.to_thread(admin.connection, connection.id)
        assert asdict(changed.limits) == asdict(connection.limits) | {"per_day": 1500}
        lane = admin.redis.hgetall(redis_keys.LANE_INFO + connection.id)
        assert b"1500" in lane.values(), "whoever paces knows it"

        assert "Nothing was different" in await browser.post(path, **form | {"per_day": "1500"})

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("units_per_minute", "99"),
            ("in_flight", "0"),
            ("per_day", "many"),
            ("per_day", "-1"),
            ("per_day", "9" * 40),
            ("per_day", "٣"),
            ("warm_up_days", "61"),
            ("project_units_per_day", ""),
        ],
    )
    async def test_what_cannot_be_a_limit_is_said_at_its_field(
        self, browser: Browser, admin: Admin, connection: Connection, name: str, value: str
    ) -> None:
        await browser.get("/console/tenants/acme")
        form = {name: str(value) for name, value in asdict(connection.limits).items()}
        path = f"/console/tenants/acme/connections/{connection.id}/limits"
        said = await browser.post(path, **form | {name: value})
        assert (browser.status, "A whole number from" in said) == (400, True)
        assert browser.page.count('aria-invalid="true"') == 1
        kept = await asyncio.to_thread(admin.connection, connection.id)
        assert kept.limits == connection.limits

    async def test_another_tenants_connection_is_not_there(
        self, browser: Browser, connection: Connection
    ) -> None:
        await browser.get("/console/tenants/acme")
        form = {name: str(value) for name, value in asdict(connection.limits).items()}
        for path in (
            f"/console/tenants/globex/connections/{connection.id}/limits",
            "/console/tenants/acme/connections/acme%2Fdefault/limits",
        ):
            await browser.post(path, **form)
            assert browser.status == 404
