"""Samples: sent from the tenant's mailbox to whoever asked, once, or not, and why."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis

from certmail_config.admin.suspension import suspend_connection
from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId
from certmail_config.onboarding.sample_wanted import SampleWanted
from certmail_config.onboarding.worker_requests import (
    RequestStage,
    Wish,
    WorkerRequest,
    WorkerRequests,
)
from certmail_worker.connections.answer_request import answer
from support.deployment.one_tenant import MAILBOX, SERVICE_ACCOUNT, OneTenant, one_tenant

WORDS = '{"texts": {"en": {"reminder": {"subject": {"text": "Ours: {{ pending }}"}}}}}'


@pytest.fixture
async def tenant(redis: Redis, redis_url: str, data_dir: Path) -> AsyncIterator[OneTenant]:
    async with one_tenant(data_dir, redis_url) as made:
        yield made


async def sample(
    tenant: OneTenant, document: str = WORDS, *, of: str = "acme", wanted: bool = True
) -> WorkerRequest:
    """Ask for one, and have it answered."""
    asks = WorkerRequests(tenant.admin.redis, tenant.admin.vault, time.time)
    mail = SampleWanted("me@people.example", "reminder", "en", "rich", document)

    def ask() -> WorkerRequest:
        given = mail if wanted else None
        return asks.ask(of, ConnectionId(tenant.connection.id), Wish.SAMPLE, sample=given)

    asked = await asyncio.to_thread(ask)
    await answer(tenant.admin, asked.id, "w")
    ended = await asyncio.to_thread(asks.read, asked.id)
    assert ended is not None
    return ended


async def sent(tenant: OneTenant) -> list[str]:
    found = await tenant.control("GET", f"/messages?mailbox={MAILBOX}")
    mails = [each["raw"] for each in found if each["to"] == "me@people.example"]
    return [base64.urlsafe_b64decode(each).decode() for each in mails]


async def test_it_leaves_the_mailbox_once_in_the_words_asked_with_and_says_that_it_is_one(
    tenant: OneTenant,
) -> None:
    ended = await sample(tenant)
    assert ended.stage is RequestStage.DONE
    assert ended.said is not None
    assert f"from {MAILBOX} to me@people.example" in ended.said.message

    [raw] = await sent(tenant)
    assert "Subject: [Sample] Ours: 12\r\n" in raw
    assert f"From: ACME <{MAILBOX}>" in raw

    again = await sample(tenant)
    assert again.stage is RequestStage.REFUSED
    assert again.said is not None
    assert again.said.code == "mailbox_busy"
    assert len(await sent(tenant)) == 1


async def test_what_google_refuses_is_said_and_may_be_tried_again_at_once(
    tenant: OneTenant,
) -> None:
    refusal = {"error": {"code": 400, "message": "Invalid To header", "errors": [{"reason": "invalidArgument", "message": "Invalid To header"}]}}  # fmt: skip
    match = {"path": "/messages/send"}
    fault = {"status": 400, "headers": {}, "body": refusal}
    await tenant.control("POST", "/faults", {"match": match, "fault": fault, "times": 1})
    assert (await sample(tenant)).stage is RequestStage.REFUSED
    assert (await sample(tenant)).stage is RequestStage.DONE


async def test_a_lost_answer_asks_to_look_before_another_is_sent(tenant: OneTenant) -> None:
    match = {"path": "/messages/send"}
    await tenant.control("POST", "/faults", {"match": match, "fault": "reset_after", "times": 1})
    ended = await sample(tenant)
    assert ended.stage is RequestStage.REFUSED
    assert ended.said is not None
    assert ended.said.remedy == "Look whether it has arrived before you send another."


async def test_without_googles_permission_that_is_said_and_nothing_leaves(
    tenant: OneTenant,
) -> None:
    await tenant.control("PUT", f"/service-accounts/{SERVICE_ACCOUNT}/delegation", {"scopes": []})
    ended = await sample(tenant)
    assert ended.stage is RequestStage.REFUSED
    assert ended.said is not None
    assert ended.said.code == "delegation_missing"
    assert await sent(tenant) == []


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ('{"texts": {"en": {"reminder": {"ask": {"text": "{{ nothing }}"}}}}}', "en/reminder/ask"),
        ('{"brand": {"colour": "red"}}', "brand"),
        ("{", "templates"),
    ],
)
async def test_words_that_could_not_be_published_are_not_sent(
    tenant: OneTenant, document: str, said: str
) -> None:
    ended = await sample(tenant, document)
    assert ended.stage is RequestStage.REFUSED
    assert ended.said is not None
    assert ended.said.message.startswith(said)
    assert await sent(tenant) == []


async def test_none_leaves_to_whom_no_mail_may_leave(tenant: OneTenant) -> None:
    settings = tenant.admin.settings.model_copy(update={"only_to": "qa@acme.example"})
    tenant.admin = replace(tenant.admin, settings=settings)
    ended = await sample(tenant)
    assert ended.said is not None
    assert ended.said.code == "not_among_only_to"
    assert await sent(tenant) == []


async def test_only_a_connection_of_that_tenant_that_works_sends_one(tenant: OneTenant) -> None:
    assert (await sample(tenant, of="globex")).stage is RequestStage.REFUSED
    assert (await sample(tenant, wanted=False)).stage is RequestStage.REFUSED
    await asyncio.to_thread(suspend_connection, tenant.admin, tenant.connection.id)
    ended = await sample(tenant)
    assert ended.said is not None
    assert ended.said.code == "connection_not_working"
    assert await sent(tenant) == []
    assert not tenant.admin.redis.exists(redis_keys.TESTED + tenant.connection.id)
