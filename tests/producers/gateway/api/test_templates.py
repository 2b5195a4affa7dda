"""Templates by the API: shown, published, refused with each fault in its place."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from certmail_config.admin.admin import Admin
from certmail_config.admin.api_keys import create_key
from certmail_config.tenants.api_keys import EVERY_TENANT, KeyScope

PATH = "/v1/tenants/acme/templates"


def _saying(text: str) -> dict[str, Any]:
    return {"texts": {"en": {"reminder": {"ask": {"text": text}}}}}


async def test_what_is_published_is_shown_and_can_be_sent_again(client: Any) -> None:
    assert (await client.get(PATH))[1]["version"] is None

    saying = _saying("{{ campaign }} https://x.example") | {"brand": {"calendar": True}}
    wanted = {"templates": saying, "instead_of": 0}
    status, made, _ = await client.ask("PUT", PATH, json=wanted)
    assert (status, made["version"], made["suspended"]) == (200, 1, {})
    assert [each["severity"] for each in made["findings"]] == ["hint"]
    assert made["published_by"].startswith("API key ")
    assert made["templates"]["brand"] == {"calendar": True}

    status, shown = await client.get(PATH)
    assert (status, shown["templates"]) == (200, made["templates"])
    status, again, _ = await client.ask("PUT", PATH, json={"templates": shown["templates"]})
    assert (status, again["version"]) == (200, 1)

    status, problem, _ = await client.ask("PUT", PATH, json=wanted)
    assert (status, problem["code"]) == (409, "templates_changed")


async def test_faults_are_named_in_their_places_and_nothing_is_published(client: Any) -> None:
    wrong = _saying("a\n{{ campain }}") | {"brand": {"colour": "red", "footer": ["ok", "\u202ex"]}}
    status, problem, _ = await client.ask("PUT", PATH, json={"templates": wrong})

    assert (status, problem["code"]) == (422, "invalid_templates")
    assert [each["pointer"] for each in problem["errors"]] == [
        "/templates/brand/footer/1",
        "/templates/brand/colour",
        "/templates/texts/en/reminder/ask",
    ]
    assert problem["errors"][2]["detail"].startswith("line 2: there is no variable `campain`")
    assert (await client.get(PATH))[1]["version"] is None

    status, problem, _ = await client.ask("PUT", PATH, json={"templates": {"color": "red"}})
    assert (status, problem["code"]) == (422, "invalid_body")
    assert problem["errors"][0]["pointer"] == "/templates/color"


async def test_what_is_too_much_is_refused(client: Any) -> None:
    blocks = {name: {"text": "x" * 15_000} for name in ("subject", "ask", "button", "footer")}
    many = {f"en-{n:03}": {"reminder": blocks} for n in range(5)}
    status, problem, _ = await client.ask("PUT", PATH, json={"templates": {"texts": many}})
    assert (status, problem["code"]) == (422, "invalid_templates")

    wide = {"texts": {"en": {"reminder": {f"b{n}": {"text": ""} for n in range(6_000)}}}}
    status, problem, _ = await client.ask("PUT", PATH, json={"templates": wide})
    assert (status, problem["code"]) == (413, "body_too_large")


async def test_of_a_tenant_that_there_is_not_nothing_is_published(
    client: Any, admin: Admin
) -> None:
    scopes = [KeyScope.TENANTS_READ, KeyScope.TEMPLATES_WRITE]
    _, key = await asyncio.to_thread(
        create_key, admin, "all", tenants=[EVERY_TENANT], scopes=scopes
    )
    every = replace(client, key=key)

    for method, body in (("GET", None), ("PUT", {"templates": _saying("a")})):
        status, problem, _ = await every.ask(method, "/v1/tenants/nobody/templates", json=body)
        assert (status, problem["code"]) == (404, "no_such_tenant")


async def test_another_tenants_are_out_of_reach(client: Any) -> None:
    for method, body in (("GET", None), ("PUT", {"templates": {}})):
        status, problem, _ = await client.ask(method, "/v1/tenants/globex/templates", json=body)
        assert (status, problem["code"]) == (403, "tenant_not_allowed")
