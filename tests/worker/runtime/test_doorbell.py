"""A doorbell is the very message that Celery would send."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from celery import Celery
from redis import Redis

from certmail_config.base.ids import JobId
from certmail_config.stores.broker import DELIVER, broker_url
from certmail_config.stores.connect import connect_async
from certmail_worker.runtime.doorbell import LIST, Doorbell
from support.data.doorbells import doorbell_app

TAG = UUID("01234567-89ab-4def-8123-456789abcdef")
JOBS = ("0199-plain", "odd \"quotes\" \\ and 'more'")


@pytest.fixture
def app(redis_url: str) -> Celery:
    return doorbell_app(broker_url(redis_url))


def sent(redis: Redis) -> list[dict[str, Any]]:
    """What lies in the queue, the oldest first."""
    found: Any = redis.lrange(LIST, 0, -1)
    return [json.loads(message) for message in reversed(found)]


@pytest.mark.parametrize("job", JOBS)
def test_it_is_what_celery_would_have_put_into_the_queue(
    app: Celery, redis: Redis, job: str
) -> None:
    with app.connection_for_write() as connection:
        app.tasks[DELIVER].apply_async(
            args=[job],
            task_id=job,
            argsrepr=f"('{job}',)",
            kwargsrepr="{}",
            retry=False,
            connection=connection,
        )
    [by_celery] = sent(redis)
    by_celery["properties"]["delivery_tag"] = str(TAG)

    doorbell = Doorbell(app, None, new_tag=lambda: TAG)  # type: ignore[arg-type]  # it is not asked to send
    assert json.loads(doorbell.message(JobId(job))) == by_celery


async def test_many_are_rung_for_in_one_command_in_their_order(
    app: Celery, redis: Redis, redis_url: str
) -> None:
    jobs = [JobId(f"job-{n}") for n in range(30)]
    client = connect_async(redis_url)
    redis.config_resetstat()

    await Doorbell(app, client).ring(jobs)
    await client.aclose()

    assert [message["headers"]["id"] for message in sent(redis)] == jobs
    stats: Any = redis.info("commandstats")
    assert stats["cmdstat_lpush"]["calls"] == 1
    tags = {message["properties"]["delivery_tag"] for message in sent(redis)}
    assert len(tags) == len(jobs)
