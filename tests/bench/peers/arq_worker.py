# mypy: ignore-errors
"""Sending with Gmail from arq."""

from __future__ import annotations

import asyncio
from itertools import islice

import aiohttp
import uvloop
from arq import create_pool
from arq.connections import RedisSettings
from common import CONCURRENCY, REDIS_URL, SEND_URL, TOKENS, jobs, tls

asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
REDIS = RedisSettings.from_dsn(REDIS_URL)


async def send_mail(context, mailbox, raw):
    """Send one mail."""
    headers = {"Authorization": f"Bearer {TOKENS[mailbox]}"}
    async with context["session"].post(SEND_URL, json={"raw": raw}, headers=headers) as response:
        response.raise_for_status()
        await response.json()


async def start(context):
    """Open the session."""
    context["session"] = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, ssl=tls()))


async def stop(context):
    """Close it."""
    await context["session"].close()


class Settings:
    """What arq's command line reads."""

    functions = (send_mail,)
    on_startup = start
    on_shutdown = stop
    redis_settings = REDIS
    max_jobs = CONCURRENCY
    keep_result = 0


async def enqueue():
    """Feed it."""
    redis, source = await create_pool(REDIS), jobs()
    while batch := list(islice(source, 50)):
        await asyncio.gather(*(redis.enqueue_job("send_mail", *job) for job in batch))
    await redis.aclose()


if __name__ == "__main__":
    asyncio.run(enqueue())
