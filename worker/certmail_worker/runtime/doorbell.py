"""The doorbell: a Celery message that carries one job id.

It may be lost or doubled without harm.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID, uuid4

from celery import Celery
from kombu.connection import Connection
from redis.asyncio import Redis as AsyncRedis

from certmail_config.base import redis_keys
from certmail_config.base.ids import JobId
from certmail_config.stores.broker import DELIVER, QUEUE

LIST: Final = redis_keys.CELERY_PREFIX + QUEUE
"""Where kombu looks for messages."""
_JOB, _BODY, _TAG = "<job>", "<body>", "<tag>"


class Doorbell:
    """Rings for many jobs in one round trip.

    Celery and kombu make one message, once; in each that is sent three places are filled in.
    """

    def __init__(
        self, app: Celery, redis: AsyncRedis, *, new_tag: Callable[[], UUID] = uuid4
    ) -> None:
        message, body = _made_by_celery(app)
        self._body = body
        self._message = json.dumps(message)
        self._redis = redis
        self._new_tag = new_tag

    async def ring(self, jobs: Sequence[JobId]) -> None:
        """Send one message per job; raises RedisError."""
        await self._redis.lpush(LIST, *(self.message(job) for job in jobs))

    def message(self, job: JobId) -> str:
        """Give the message for a job, as it lies in Redis."""
        text = json.dumps(job)[1:-1]
        body = b64encode(self._body.replace(_JOB, text).encode()).decode()
        return (
            self._message.replace(_JOB, text)
            .replace(_BODY, body)
            .replace(_TAG, str(self._new_tag()))
        )


def _made_by_celery(app: Celery) -> tuple[dict[str, object], str]:
    """Have a message made as it would be sent, by way of a queue in this process.

    Gives it with a mark for its body, and the body, which holds JSON.
    """
    with Connection("memory://") as connection:
        producer = app.amqp.Producer(connection)
        app.tasks[DELIVER].apply_async(
            args=[_JOB],
            task_id=_JOB,
            producer=producer,
            argsrepr=f"('{_JOB}',)",
            kwargsrepr="{}",
            retry=False,
        )
        # As it lies there; to consumers kombu gives it unpacked.
        message = producer.channel._get(QUEUE)  # noqa: SLF001

    body = b64decode(message["body"]).decode()
    message["properties"]["delivery_tag"] = _TAG
    return message | {"body": _BODY}, body
