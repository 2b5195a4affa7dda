"""Set-up links by the API: who may make one, for whom, leading back where; and its page opens."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from certmail_config.admin.admin import Admin
from certmail_config.admin.api_keys import create_key
from certmail_config.settings import Settings
from certmail_config.tenants.api_keys import EVERY_TENANT, KeyScope
from certmail_config.tenants.models import ConnectionState, GoogleLimits

PATH = "/v1/setup-links"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"return_urls": ("https://app.example/settings",)})


def faults(answer: tuple[int, Any, Any], status: int = 422) -> list[tuple[str, str]]:
    assert answer[0] == status, answer
    assert answer[2]["Content-Type"].startswith("application/problem+json")
    return [(each["pointer"], each["code"]) for each in answer[1]["errors"]]


async def test_a_link_is_made_and_its_page_opens(client: Any) -> None:
    wanted = {"tenant": "acme", "return_url": "https://app.example/settings/mail", "state": "s-1"}
    status, made, headers = await client.post(wanted, PATH)
    assert status == 201
    assert headers["Cache-Control"] == "no-store"
    assert (made["tenant"], made["connection"]) == ("acme", "default")

    left = datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)

    address = made["url"].removeprefix("https://certmail.example")

    async with client.session.get(client.base + address) as page:
        assert page.status == 200
        assert "Acme Ltd" in await page.text()


async def test_another_one_ends_the_one_before(client: Any) -> None:
    links = [(await client.post({"tenant": "acme"}, PATH))[1]["url"] for _ in range(2)]
    pages = []
    for link in links:
        async with client.session.get(
            client.base + link.removeprefix("https://certmail.example")
        ) as page:
            pages.append(page.status)

    assert pages == [403, 200]


async def test_one_for_a_connection_that_works_must_be_asked_for(client: Any, admin: Admin) -> None:
    def activate() -> None:
        made = admin.add_service_provider_app("acme", "works", limits=GoogleLimits())
        admin.save(replace(made, state=ConnectionState.ACTIVE))

    await asyncio.to_thread(activate)
    status, problem, _ = await client.post({"tenant": "acme", "connection": "works"}, PATH)
    assert (status, problem["code"]) == (409, "connection_active")
    assert "`again`" in problem["remedy"]

    status, made, _ = await client.post(
        {"tenant": "acme", "connection": "works", "again": True}, PATH
    )
    assert (status, made["connection"]) == (201, "works")


async def test_repeated_with_its_idempotency_key_it_is_the_same_link(client: Any) -> None:
    first, again = [
        await client.post({"tenant": "acme"}, PATH, Idempotency_Key="k") for _ in range(2)
    ]
    assert first[1] == again[1]
    assert again[2]["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ("/tenant", "missing")),
        ({"tenant": 3}, ("/tenant", "string_type")),
        ({"tenant": "a\0"}, ("/tenant", "string_pattern_mismatch")),
        ({"tenant": "acme", "to": "x"}, ("/to", "extra_forbidden")),
        ({"tenant": "acme", "connection": "No Name"}, ("/connection", "string_pattern_mismatch")),
        ({"tenant": "acme", "state": "s" * 513}, ("/state", "string_too_long")),
        (
            {"tenant": "acme", "return_url": "https://evil.example"},
            ("/return_url", "return_url_not_allowed"),
        ),
    ],
)
async def test_what_is_wrong_is_said_with_its_place(
    client: Any, wanted: dict[str, object], found: tuple[str, str]
) -> None:
    assert faults(await client.post(wanted, PATH)) == [found]


async def test_another_tenants_is_refused_and_an_unknown_one_is_named(
    client: Any, admin: Admin
) -> None:
    assert faults(await client.post({"tenant": "globex"}, PATH), 403) == [
        ("/tenant", "tenant_not_allowed")
    ]
    _, key = await asyncio.to_thread(
        create_key, admin, "all", tenants=[EVERY_TENANT], scopes=[KeyScope.SETUP_LINKS_WRITE]
    )
    anybody = replace(client, key=key)

    assert faults(await anybody.post({"tenant": "nobody"}, PATH)) == [("/tenant", "unknown_tenant")]
