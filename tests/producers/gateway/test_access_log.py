"""The access log: a line for each request, with its key and result, and nothing usable in it."""

from __future__ import annotations

import logging
from typing import Any

import aiohttp
import pytest

from certmail.gateway.access_log import A_LINE
from certmail_config.admin.admin import Admin

ACCESS = "certmail.gateway.access_log"


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [vars(record) for record in caplog.records if record.name == ACCESS]


async def test_what_was_asked_by_which_key_and_how_it_ended(
    client: Any, admin: Admin, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    status, receipt, headers = await client.post({"tenant": "acme", "to": "anna@people.example"})
    assert status == 202

    await client.ask("GET", f"/v1/reminders/{receipt['id']}", headers={"X-Request-Id": "mine-7"})
    await client.get("/v1/deliveries?to=anna@people.example")
    await client.get("/healthz")

    made, asked, listed = lines(caplog)
    assert (made["method"], made["route"], made["status"]) == ("POST", "/v1/reminders", 202)
    assert made["request"] == headers["X-Request-Id"]
    assert made["ms"] >= 0
    assert (asked["route"], asked["request"]) == ("/v1/reminders/{id}", "mine-7")
    assert {line["key"] for line in (made, asked, listed)} == {client.key.split("_")[1]}
    assert {(line["tenant"], line["job"]) for line in (made, asked)} == {("acme", receipt["id"])}
    for line in (made, asked, listed):
        assert not any(hidden in str(line) for hidden in (client.key, "people.example"))


async def test_each_reminder_of_a_batch_is_found_by_its_id_and_the_request(
    client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    many = [{"tenant": "acme", "to": f"anna{n}@people.example"} for n in range(A_LINE + 1)]
    _, answer, headers = await client.post(
        {"reminders": [*many, {"to": "?"}]}, "/v1/reminders:batch"
    )
    ids = [item["receipt"]["id"] for item in answer["items"][:-1]]

    *enqueued, asked = lines(caplog)
    assert [line["message"] for line in enqueued] == ["enqueued", "enqueued"]
    assert [line["jobs"] for line in enqueued] == [ids[:A_LINE], ids[A_LINE:]]
    assert {(line["request"], line["tenant"]) for line in (*enqueued, asked)} == {
        (headers["X-Request-Id"], "acme")
    }
    assert "people.example" not in str(enqueued)


async def test_what_a_key_asks_for_in_vain_is_counted_for_each_key(
    client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(2):
        await client.post({"tenant": "acme", "to": "nobody"})
    kinds = {line["alike"] for line in lines(caplog)}
    assert kinds == {f"422 /v1/reminders {client.key.split('_')[1]}"}


async def test_whoever_is_not_let_in_is_counted_and_addresses_that_are_none_are_not_repeated(
    served: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async with aiohttp.ClientSession() as session:
        for path in ("/v1/tenants", "/nowhere/acme.S3cret"):
            async with session.get(
                served + path, headers={"Authorization": "Bearer nobody"}
            ) as answer:
                assert answer.status in {401, 404}

    away, nowhere = lines(caplog)
    assert (away["route"], away["status"], away["alike"]) == ("/v1/tenants", 401, "401 /v1/tenants")
    assert "key" not in away
    assert (nowhere["route"], nowhere["status"]) == ("(none)", 404)
    assert "S3cret" not in str(nowhere)
