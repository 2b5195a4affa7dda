# mypy: ignore-errors
"""Sending with Gmail from taskiq, over a Redis stream, which acknowledges."""

from __future__ import annotations

import asyncio
from itertools import islice

import aiohttp
from common import REDIS_URL, SEND_URL, TOKENS, jobs, tls
from taskiq import TaskiqEvents
from taskiq_redis import RedisStreamBroker

broker = RedisStreamBroker(url=REDIS_URL)


@broker.on_event(TaskiqEvents.WORKER_STARTUP)
async def start(state):
    """Open the session."""
    state.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, ssl=tls()))


@broker.on_event(TaskiqEvents.WORKER_SHUTDOWN)
async def stop(state):
    """Close it."""
    await state.session.close()


@broker.task(task_name="send_mail")
async def send_mail(mailbox: int, raw: str) -> None:
    """Send one mail."""
    headers = {"Authorization": f"Bearer {TOKENS[mailbox]}"}
    async with broker.state.session.post(SEND_URL, json={"raw": raw}, headers=headers) as response:
        response.raise_for_status()
        await response.json()


async def enqueue():
    """Feed it."""
    await broker.startup()
    source = jobs()
    while batch := list(islice(source, 50)):
        await asyncio.gather(*(send_mail.kiq(*job) for job in batch))
    await broker.shutdown()


if __name__ == "__main__":
    asyncio.run(enqueue())
