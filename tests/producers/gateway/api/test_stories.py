"""One reminder's story over the HTTP API: its requests to Gmail, and what happened to it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from certmail_config.admin.admin import Admin
from certmail_config.admin.api_keys import create_key
from certmail_config.base.ids import uuid7
from certmail_config.tenants.api_keys import KeyScope
from certmail_worker.recording.writer import read_cursor, write
from support.data.events import begun, enqueued, settled

JOB = uuid7(1_800_000_000_000)


@pytest.fixture
async def recorded(admin: Admin) -> None:
    events = [
        enqueued(1, JOB, to="ann@people.example"),
        begun(2, job=JOB),
        settled(3, "accepted", "accepted", job=JOB, reason="", http_status=200, gmail_id="g1"),
    ]
    await asyncio.to_thread(write, admin.engine, read_cursor(admin.engine), events)


async def test_it_has_each_request_and_each_event_in_order(client: Any, recorded: None) -> None:
    status, story = await client.get(f"/v1/deliveries/{JOB.upper()}")
    assert status == 200
    assert (story["recipient"], story["state"], story["attempts"]) == (
        "ann@people.example", "accepted", 1,
    )  # fmt: skip
    [request] = story["requests"]
    assert (request["outcome"], request["http_status"], request["gmail_id"]) == (
        "accepted", 200, "g1",
    )  # fmt: skip
    assert [event["type"] for event in story["events"]] == ["enqueued", "begun", "settled"]
    assert story["events"][0]["state"] == "ready"


@pytest.mark.parametrize("id_", ["0" * 36, "x", "%27", "a" * 2000])
async def test_what_is_not_on_record_is_not_there(client: Any, recorded: None, id_: str) -> None:
    status, problem = await client.get(f"/v1/deliveries/{id_}")
    assert (status, problem["code"]) == (404, "unknown_reminder")


async def test_another_tenants_is_not_there_either(
    client: Any, admin: Admin, recorded: None
) -> None:
    _, key = await asyncio.to_thread(
        create_key, admin, "globex", tenants=["globex"], scopes=list(KeyScope)
    )
    assert (await replace(client, key=key).get(f"/v1/deliveries/{JOB}"))[0] == 404
