"""From a reminder to the receiver that is told of it, by commands; and the keeper that moves meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.deployment.deployment import QUICK, Deployment, campaign, new_deployment
from support.network.receivers import Receiver, receiver

ALLOW = {"CERTMAIL_WEBHOOK_ALLOW": "http://127.0.0.1"}


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with new_deployment(tmp_path, **QUICK, **ALLOW) as made:
        yield made


async def told(there: Receiver, jobs: list[str], kind: str) -> None:
    def found() -> set[Any]:
        return {
            bodies[0]["data"]["reminder"]
            for bodies in there.taken.values()
            if bodies[0]["type"] == kind
        }

    while not set(jobs) <= found():  # noqa: ASYNC110 - another process tells it
        await asyncio.sleep(0.1)


async def test_what_becomes_of_reminders_is_told_by_whichever_worker_keeps(
    deployment: Deployment,
) -> None:
    async def do(call: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        return await asyncio.to_thread(call, *arguments, **more)

    await do(deployment.link)
    async with receiver() as there:
        made = await do(deployment.ask, "webhooks", "add", there.url, "--tenant", "acme")
        there.secrets = (made["secret"],)
        tried = await do(deployment.ask, "webhooks", "test", made["id"])
        assert (tried["taken"], tried["status"]) == (True, 204)

        first = await do(deployment.worker)
        sent = await do(deployment.ask, "send", "-", stdin=campaign(3))
        jobs = [receipt["id"] for receipt in sent["receipts"]]
        await told(there, jobs, "reminder.accepted")

        await do(deployment.worker)
        first.terminate()
        await do(first.wait, 60)
        sent = await do(deployment.ask, "send", "-", stdin=campaign(3, campaign="q1"))
        more = [receipt["id"] for receipt in sent["receipts"]]
        await told(there, more, "reminder.accepted")

        assert there.forged == []
        shown = await do(deployment.ask, "webhooks", "show", made["id"])
        assert (shown["state"], shown["kept"]["failed"]) == ("active", 0)
        texts = [str(bodies) for bodies in there.taken.values()]
        assert not [text for text in texts if "@" in text or "campaign" in text]
