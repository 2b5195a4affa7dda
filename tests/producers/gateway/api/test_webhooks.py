"""Webhooks by the API: what a key may see and do, and what a receiver gets of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from certmail_config.admin.admin import Admin
from certmail_config.admin.api_keys import create_key
from certmail_config.admin.webhooks.endpoints import MAX_OF_TENANT, add_webhook
from certmail_config.admin.webhooks.running import pause_webhook
from certmail_config.base import redis_keys
from certmail_config.settings import Settings
from certmail_config.sql.webhooks.messages import add_message
from certmail_config.tenants.api_keys import EVERY_TENANT, KeyScope
from certmail_config.webhooks.catalogue import WebhookType
from support.network.receivers import receiver, status

PATH = "/v1/webhooks"
URL = "https://hooks.example.com/certmail"


@pytest.fixture
def settings(redis: Redis, redis_url: str, data_dir: Path) -> Settings:
    return Settings(
        data_dir=data_dir,
        redis_url=redis_url,
        public_url="https://certmail.example",
        webhook_allow="http://127.0.0.1",
    )


async def of_all(client: Any, admin: Admin, *scopes: KeyScope) -> Any:
    """The same application with a key that reaches every tenant."""
    _, key = await asyncio.to_thread(
        create_key, admin, "all", tenants=[EVERY_TENANT], scopes=scopes or list(KeyScope)
    )
    return replace(client, key=key)


async def test_a_webhook_is_made_shown_stopped_and_removed_and_its_secret_said_once(
    client: Any,
) -> None:
    wanted = {"url": URL, "tenants": ["acme"], "types": ["reminder.failed"], "name": "ours"}
    code, made, _ = await client.post(wanted, PATH)
    assert code == 201
    assert made["secret"].startswith("whsec_")
    assert (made["state"], made["types"], made["tenants"]) == (
        "active",
        ["reminder.failed"],
        ["acme"],
    )

    one = f"{PATH}/{made['id']}"
    code, shown = await client.get(one)
    assert (code, shown["waiting"], shown["messages"]) == (200, 0, [])
    assert "secret" not in shown
    assert [each["id"] for each in (await client.get(PATH))[1]["items"]] == [made["id"]]

    for action, state in (("pause", "paused"), ("resume", "active")):
        code, changed, _ = await client.ask("POST", f"{one}/{action}")
        assert (code, changed["state"]) == (200, state)

    code, rotated, _ = await client.ask("POST", f"{one}/rotate", json={"hours": 2})
    assert code == 200
    assert rotated["secret"] != made["secret"]
    assert rotated["previous_secret_until"]

    code, gone, _ = await client.ask("DELETE", one)
    assert (code, gone["id"]) == (200, made["id"])
    assert (await client.get(one))[1]["code"] == "unknown_webhook"


async def test_a_webhook_is_changed_by_what_is_named_and_checked_as_a_new_one(client: Any) -> None:
    _, made, _ = await client.post({"url": URL, "tenants": ["acme"], "name": "ours"}, PATH)
    one = f"{PATH}/{made['id']}"
    moved = "https://new.example.com/certmail"
    code, changed, _ = await client.ask(
        "PATCH", one, json={"url": moved, "types": ["reminder.failed"]}
    )
    assert (code, changed["url"], changed["types"]) == (200, moved, ["reminder.failed"])
    assert (changed["name"], changed["tenants"], "secret" in changed) == ("ours", ["acme"], False)
    _, changed, _ = await client.ask("PATCH", one, json={"types": [], "url": None})
    assert (changed["url"], changed["types"]) == (moved, ["*"])

    for body, pointer, fault in (
        ({"url": "https://10.0.0.1/"}, "/url", "invalid_url"),
        ({"types": ["reminder.sent"]}, "/types", "unknown_type"),
        ({"tenants": ["globex"]}, "/tenants", None),
        ({}, "", None),
    ):
        code, problem, _ = await client.ask("PATCH", one, json=body)
        assert (code, problem["code"]) == (422, "invalid_body")
        [found] = problem["errors"]
        assert found["pointer"] == pointer
        assert fault is None or found["code"] == fault
    assert (await client.get(one))[1]["url"] == moved


async def test_what_a_key_does_is_on_record_under_its_id(
    client: Any, redis: Redis, admin: Admin
) -> None:
    _, key = await asyncio.to_thread(
        create_key, admin, "theirs", tenants=["acme"], scopes=list(KeyScope)
    )
    theirs = replace(client, key=key)
    _, made, _ = await theirs.post({"url": URL, "tenants": ["acme"]}, PATH)
    one = f"{PATH}/{made['id']}"
    await theirs.ask("PATCH", one, json={"name": "ours"})
    await theirs.ask("POST", f"{one}/pause")
    await theirs.ask("POST", f"{one}/resume")
    await theirs.ask("POST", f"{one}/rotate", json={})
    await theirs.ask("POST", f"{one}/replay", json={"failed": True})
    await theirs.ask("DELETE", one)
    entries: Any = await asyncio.to_thread(redis.xrange, redis_keys.EVENTS)
    acts = [each for _, each in entries if each[b"type"].startswith(b"webhook_")]
    assert [each[b"type"].decode() for each in acts] == [
        "webhook_added",
        "webhook_changed",
        "webhook_paused",
        "webhook_resumed",
        "webhook_rotated",
        "webhook_replayed",
        "webhook_removed",
    ]
    [by] = {each[b"by"].decode() for each in acts}
    assert by == f"API key {key.split('_')[1]}"


async def test_a_trial_is_signed_and_what_comes_back_is_said(client: Any) -> None:
    async with receiver() as there:
        _, made, _ = await client.post({"url": there.url, "tenants": ["acme"]}, PATH)
        there.secrets = (made["secret"],)
        code, trial, _ = await client.ask("POST", f"{PATH}/{made['id']}/test")
        assert (code, trial["taken"], trial["status"]) == (200, True, 204)
        [[body]] = there.taken.values()
        assert (body["type"], body["data"]) == ("webhook.test", {"webhook": made["id"]})

        there.habit = status(302, Location="http://127.0.0.1/")
        _, trial, _ = await client.ask("POST", f"{PATH}/{made['id']}/test")
        assert (trial["taken"], trial["status"]) == (False, 302)
        assert "redirects" in trial["why"]
    assert (await client.get(f"{PATH}/{made['id']}"))[1]["state"] == "active", (
        "a trial changes nothing"
    )


async def test_what_is_kept_is_sent_again(client: Any, admin: Admin) -> None:
    made, _ = await asyncio.to_thread(add_webhook, admin, URL, tenants=["acme"])
    await asyncio.to_thread(pause_webhook, admin, made.id)

    def happen() -> None:
        with admin.db() as db:
            data = {"webhook": made.id, "code": "gone"}
            add_message(db, [made.id], WebhookType.WEBHOOK_DISABLED, made.created_at, data)

    await asyncio.to_thread(happen)
    one = f"{PATH}/{made.id}"
    _, shown = await client.get(one)
    assert (shown["waiting"], shown["messages"][0]["type"]) == (1, "webhook.disabled")

    message, since = shown["messages"][0]["id"], "2020-01-01T00:00:00Z"
    for body, count in (({"message": message}, 1), ({"since": since}, 1), ({"failed": True}, 0)):
        code, found, _ = await client.ask("POST", f"{one}/replay", json=body)
        assert (code, found) == (200, {"replayed": count})

    code, problem, _ = await client.ask("POST", f"{one}/replay", json={"message": "msg_1_1"})
    assert (code, problem["code"]) == (404, "unknown_message")
    for body in ({}, {"failed": True, "since": since}, {"since": "yesterday"}, {"all": True}):
        code, problem, _ = await client.ask("POST", f"{one}/replay", json=body)
        assert (code, problem["code"]) == (422, "invalid_body")


@pytest.mark.parametrize(
    ("changed", "pointer", "code"),
    [
        ({"url": "http://8.8.8.8/"}, "/url", "invalid_url"),
        ({"url": "https://169.254.169.254/"}, "/url", "invalid_url"),
        ({"url": "https://localhost:22/"}, "/url", "invalid_url"),
        ({"types": ["reminder.sent"]}, "/types", "unknown_type"),
        ({"tenants": []}, "/tenants", None),
        ({"tenants": ["ACME"]}, "/tenants/0", None),
        ({"secret": "whsec_mine"}, "/secret", None),
    ],
)
async def test_what_is_wrong_is_said_where(
    client: Any, changed: dict[str, Any], pointer: str, code: str | None
) -> None:
    answered, problem, _ = await client.post({"url": URL, "tenants": ["acme"]} | changed, PATH)
    assert (answered, problem["code"]) == (422, "invalid_body")
    [fault] = problem["errors"]
    assert fault["pointer"] == pointer
    assert code is None or fault["code"] == code


async def test_a_key_of_one_tenant_makes_and_sees_none_that_is_told_of_another(
    client: Any, admin: Admin
) -> None:
    for tenants in (["globex"], ["acme", "globex"], ["*"]):
        code, problem, _ = await client.post({"url": URL, "tenants": tenants}, PATH)
        assert (code, problem["code"]) == (403, "tenant_not_allowed")

    every = await of_all(client, admin)
    ids = []
    for tenants in (["globex"], ["acme", "globex"], ["*"], ["acme"]):
        code, made, _ = await every.post({"url": URL, "tenants": tenants}, PATH)
        assert code == 201
        ids.append(made["id"])

    assert [each["id"] for each in (await client.get(PATH))[1]["items"]] == ids[3:]
    for id_ in ids[:3]:
        for method, rest in (("GET", ""), ("DELETE", ""), ("POST", "/test"), ("POST", "/pause"), ("POST", "/resume")):  # fmt: skip
            code, problem, _ = await client.ask(method, f"{PATH}/{id_}{rest}")
            assert (code, problem["code"]) == (404, "unknown_webhook")
        for method, rest in (("POST", "/rotate"), ("POST", "/replay"), ("PATCH", "")):
            code, problem, _ = await client.ask(method, f"{PATH}/{id_}{rest}", json={})
            assert (code, problem["code"]) == (404, "unknown_webhook")
    assert len((await every.get(PATH))[1]["items"]) == 4


async def test_looking_and_changing_are_scopes_of_their_own(client: Any, admin: Admin) -> None:
    looks = await of_all(client, admin, KeyScope.WEBHOOKS_READ)
    changes = await of_all(client, admin, KeyScope.WEBHOOKS_WRITE)
    assert (await looks.post({"url": URL, "tenants": ["*"]}, PATH))[0] == 403
    assert (await changes.get(PATH))[0] == 403
    assert (await looks.get(PATH))[0] == 200
    assert (await changes.post({"url": URL, "tenants": ["*"]}, PATH))[0] == 201


async def test_of_one_tenant_there_are_only_so_many(client: Any) -> None:
    for _ in range(MAX_OF_TENANT):
        assert (await client.post({"url": URL, "tenants": ["acme"]}, PATH))[0] == 201
    code, problem, _ = await client.post({"url": URL, "tenants": ["acme"]}, PATH)
    assert (code, problem["code"]) == (409, "too_many_webhooks")


async def test_pages_go_on_where_the_one_before_ended(client: Any) -> None:
    for _ in range(3):
        await client.post({"url": URL, "tenants": ["acme"]}, PATH)
    _, first = await client.get(f"{PATH}?limit=2")
    _, second = await client.get(f"{PATH}?limit=2&cursor={first['next']}")
    assert (len(first["items"]), len(second["items"]), second["next"]) == (2, 1, None)


async def test_asked_again_with_its_key_a_webhook_is_made_once(client: Any) -> None:
    body = {"url": URL, "tenants": ["acme"]}
    _, made, _ = await client.post(body, PATH, Idempotency_Key="once")
    _, again, headers = await client.post(body, PATH, Idempotency_Key="once")
    assert again == made
    assert headers["Idempotent-Replayed"] == "true"
    assert len((await client.get(PATH))[1]["items"]) == 1
