# mypy: ignore-errors
"""Sending with Gmail from dramatiq, with async actors."""

from __future__ import annotations

import aiohttp
import dramatiq
from common import REDIS_URL, SEND_URL, TOKENS, jobs, tls
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AsyncIO

broker = RedisBroker(url=REDIS_URL)
broker.add_middleware(AsyncIO())
dramatiq.set_broker(broker)
sessions = []


def session():
    """The one session; it belongs to the loop on which the actors run."""
    if not sessions:
        connector = aiohttp.TCPConnector(limit=0, ssl=tls())
        sessions.append(aiohttp.ClientSession(connector=connector))
    return sessions[0]


@dramatiq.actor(max_retries=0)
async def send_mail(mailbox, raw):
    """Send one mail."""
    headers = {"Authorization": f"Bearer {TOKENS[mailbox]}"}
    async with session().post(SEND_URL, json={"raw": raw}, headers=headers) as response:
        response.raise_for_status()
        await response.json()


if __name__ == "__main__":
    for job in jobs():
        send_mail.send(*job)
