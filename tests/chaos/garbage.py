"""Throwing garbage at each of certmail's doors, in the name of a tenant that sends nothing else."""

from __future__ import annotations

import base64
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar
from uuid import uuid4

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId, JobId
from certmail_config.crypto.sealing import Sealer
from certmail_config.jobs.states import State
from certmail_config.ledger import enqueue, run
from certmail_config.sql import registry
from certmail_config.stores.broker import QUEUE
from chaos.abuser import Abuser
from chaos.plan import Blow, Garbage
from support.data.garbage import COMMANDS, EVENTS, MESSAGES, PAYLOADS
from support.deployment.deployment import Deployment

T = TypeVar("T")

TENANT: Final = "garbage"
LIFE_SECONDS: Final = 86_400.0
CONTROL: Final = f"{redis_keys.CELERY_PREFIX}/0.celery.pidbox"
"""The channel of Celery's remote control, as kombu names it."""


class GarbageThrower:
    """The garbage that is thrown at every door.

    `jobs` are those that garbage has made, `thrown` counts what went out, by its kind.
    """

    def __init__(self, place: Deployment, redis_url: str, connection: str) -> None:
        self.jobs: set[str] = set()
        self.thrown: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        """What the gateway answered whoever abuses its key: a status, or that there was none."""
        self._place = place
        self._connection = ConnectionId(connection)
        self._redis = Redis.from_url(redis_url, retry=Retry(NoBackoff(), 0), socket_timeout=5)

        with place.admin.db() as db:
            self._sealer = Sealer(registry.get_tenant(db, TENANT).public_key)
        self._abuser: Abuser | None = None
        self._key = place.ask("keys", "create", "whoever abuses it", "--tenant", TENANT)["key"]

    def throw(self, blow: Blow) -> Callable[[], None]:
        """Throw one thing; gives what ends it. Raises RedisError."""
        # Most have none.
        end: Callable[[], None] = lambda: None  # noqa: E731
        match Garbage(blow.what):
            case Garbage.PAYLOAD:
                self._enqueue(_of(PAYLOADS, blow.target))
            case Garbage.EVENT:
                fields: Any = dict(_of(EVENTS, blow.target))
                self._redis.xadd(redis_keys.EVENTS, fields)
            case Garbage.MESSAGE:
                self._redis.lpush(redis_keys.CELERY_PREFIX + QUEUE, _of(MESSAGES, blow.target))
            case Garbage.COMMAND:
                self._redis.publish(CONTROL, _control(_of(COMMANDS, blow.target)))
            case Garbage.KEY:
                end = self._abuse(blow.target)

        self.thrown[blow.what] += 1
        return end

    def _enqueue(self, payload: bytes) -> None:
        job, now = JobId(str(uuid4())), time.time()
        call = enqueue(
            id=job,
            tenant=TENANT,
            connection=self._connection,
            dedupe=f"{TENANT}:{job}",
            fingerprint="",
            state=State.READY,
            reason="",
            send_at=None,
            expires_at=now + LIFE_SECONDS,
            priority=0,
            kind="reminder",
            campaign="garbage",
            keep_seconds=LIFE_SECONDS,
            body=self._sealer.seal(payload, tenant=TENANT, job=job, now=now),
        )

        # First: that there was no answer does not mean that it is not in.
        self.jobs.add(job)
        run(self._redis, call)

    def _abuse(self, target: int) -> Callable[[], None]:
        """Have the key abused until the end."""
        if self._abuser is None:
            self._abuser = Abuser(self._place.gateway, self._key)
        self._abuser.begin(target)
        return self._abuser.end

    def over(self) -> None:
        """Throw nothing more, and count what the key's abuser was answered."""
        if self._abuser is not None:
            self.answers += self._abuser.over()


def _of(things: Mapping[str, T], number: int) -> T:
    found: Sequence[str] = sorted(things)
    return things[found[number % len(found)]]


def _control(command: Any) -> bytes:
    """A message as kombu publishes it to all workers."""
    body = base64.b64encode(json.dumps(command).encode()).decode()
    delivery = {"exchange": "celery.pidbox", "routing_key": ""}
    properties = {
        "delivery_mode": 2,
        "delivery_info": delivery,
        "priority": 0,
        "body_encoding": "base64",
    }
    message = {
        "body": body,
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"clock": 1, "expires": None},
        "properties": properties | {"delivery_tag": str(uuid4())},
    }

    return json.dumps(message).encode()
