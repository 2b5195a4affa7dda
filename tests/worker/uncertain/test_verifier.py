"""The verifier goes on beside what somebody made unreadable in Redis.

It looks for all but that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from certmail_config.base import redis_keys
from certmail_worker.delivery.context import DeliveryContext
from certmail_worker.delivery.settlement import Rules
from certmail_worker.google.gmail import Gmail
from certmail_worker.google.tenant_cache import Directory
from certmail_worker.uncertain.verifier import verify
from support.deployment.one_tenant import MAILBOX, OneTenant, one_tenant
from support.processes.tasks import end

LISTED = "/gmail/v1/users/me/messages"


def add_uncertain_job(redis: Redis, job: str, connection: str, tenant: str) -> None:
    """A job with one attempt of which nobody knows, to be looked for at once."""
    now = redis.time()[0] * 1000
    fields: dict[Any, Any] = {
        "tenant": tenant,
        "connection": connection,
        "mailbox": MAILBOX,
        "attempt": 1,
    }

    fields |= {"doubted_at": now, "begun:1": now, "outcome:1": "unknown"}
    redis.hset(redis_keys.JOB + job, mapping=fields)
    redis.zadd(redis_keys.UNSURE, {job: 0})


def no_lane(redis: Redis, connection: str) -> None:
    redis.delete(redis_keys.LANE_INFO + connection)
    redis.set(redis_keys.LANE_INFO + connection, "no hash")


def no_connection(redis: Redis, connection: str) -> None:
    redis.hset(redis_keys.LANE_INFO + connection, "mailbox", MAILBOX)
    redis.set(redis_keys.CONNECTION + connection, "no hash")


def no_job(redis: Redis, _: str) -> None:
    redis.delete(redis_keys.JOB + "broken")
    redis.set(redis_keys.JOB + "broken", "no hash")


@pytest.mark.parametrize("broken", [no_lane, no_connection, no_job])
async def test_a_key_that_is_no_hash_holds_up_no_other(
    tmp_path: Path, redis: Redis, redis_url: str, broken: Callable[[Redis, str], None]
) -> None:
    async with one_tenant(tmp_path, redis_url) as made:
        add_uncertain_job(redis, "broken", "another", "globex")
        broken(redis, "another")
        add_uncertain_job(redis, "whole", made.connection.id, "acme")
        redis.hset(redis_keys.LANE_INFO + made.connection.id, "mailbox", MAILBOX)
        looking = asyncio.create_task(verify(context(made)))
        while not looking.done() and not await made.asked(LISTED):  # noqa: ASYNC110 - the sandbox can only be asked
            await asyncio.sleep(0.05)
        assert not looking.done(), looking.exception()
        await end(looking)


def context(made: OneTenant) -> DeliveryContext:
    """What the verifier needs of a worker."""
    directory = Directory(made.redis, made.admin.vault)
    gmail = Gmail(made.session, made.google)
    return DeliveryContext(
        "w",
        made.redis,
        directory,
        made.tokens(),
        gmail,
        Rules(),
        lease_seconds=60,
        send_window_seconds=10,
    )
