"""What the gateway asks of a worker about a connection, and how far the answer has come.

The Celery message names a worker request by its id, and nothing else; what is asked and found lies
here, sealed, and is forgotten after a while. A message that is lost leaves a worker request that
nobody takes up; one that is doubled finds it taken.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId
from certmail_config.base.redis_answers import server_time, value_of
from certmail_config.crypto.strongbox import Strongbox
from certmail_config.crypto.vault import Vault
from certmail_config.google.checklist import Step
from certmail_config.onboarding.sample_wanted import SampleWanted

LIFE_SECONDS: Final = 900
"""How long a worker request is remembered after it last got on."""
TAKEN_UP_SECONDS: Final = 10.0
"""A worker that is alive takes one up in a fraction of a second."""
SILENT_SECONDS: Final = 120.0
"""After how long a worker request of which nothing is heard counts as lost.

It is longer than any step takes: a checklist's requests to Google have 25 s, and a removal says
what it waits for.
"""


class Wish(StrEnum):
    """What is asked for."""

    CHECK = "check"
    """The checklist, and the connection's state by what is found."""
    MAIL = "mail"
    """The same, with a test mail from the mailbox to itself."""
    RESUME = "resume"
    """Take a suspended connection up again, and the checklist."""
    REMOVE = "remove"
    """Remove the connection for good; its access is given back to Google."""
    SAMPLE = "sample"
    """Send a sample mail from it; nothing is found out about the connection itself."""


class RequestStage(StrEnum):
    """How far the answer has come."""

    ASKED = "asked"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    """It could not be done; `said` says why."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence, and what to do about it."""

    code: str
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class WorkerRequest:
    """One worker request; `by` is who asks.

    `told_at` is when something was last heard of it, seconds since 1970. `sample` is the mail that
    is wanted, where one is.
    """

    id: str
    tenant: str
    connection: ConnectionId
    wish: Wish
    told_at: float
    by: str = ""
    stage: RequestStage = RequestStage.ASKED
    steps: tuple[Step, ...] = ()
    said: Remark | None = None
    sample: SampleWanted | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.stage in {RequestStage.DONE, RequestStage.REFUSED}

    def now_running(self) -> WorkerRequest:
        """A worker has taken it up."""
        return replace(self, stage=RequestStage.RUNNING)

    def found(self, *steps: Step) -> WorkerRequest:
        """The worker request, with as much of the checklist as is known."""
        return replace(self, steps=steps)

    def done(self, said: Remark | None = None) -> WorkerRequest:
        """The worker request, answered."""
        return replace(self, stage=RequestStage.DONE, said=said)

    def refused(self, said: Remark) -> WorkerRequest:
        """The worker request, refused for the reason given."""
        return replace(self, stage=RequestStage.REFUSED, said=said)


class WorkerRequests:
    """Where they are kept; what stands in Redis is sealed, since steps name mailboxes."""

    def __init__(self, redis: Redis, vault: Vault, now: Callable[[], float]) -> None:
        self._redis = redis
        self._box = Strongbox(redis, vault)
        self._now = now

    def ask(
        self,
        tenant: str,
        connection: ConnectionId,
        wish: Wish,
        *,
        by: str = "",
        sample: SampleWanted | None = None,
    ) -> WorkerRequest:
        """Write a new one down; one for a sample is found by its id alone. Raises RedisError."""
        id_ = secrets.token_urlsafe(18)
        asked = WorkerRequest(id_, tenant, connection, wish, self._now(), by, sample=sample)
        self._write(asked)
        if wish is not Wish.SAMPLE:
            self._redis.set(redis_keys.WORKER_REQUEST_LATEST + connection, id_, ex=LIFE_SECONDS)
        return asked

    def latest(self, connection: ConnectionId) -> WorkerRequest | None:
        """What was last asked about a connection, as long as it is remembered. Raises as `read`."""
        id_ = value_of(self._redis, redis_keys.WORKER_REQUEST_LATEST + connection)
        found = self.read(id_.decode(errors="replace")) if id_ is not None else None
        # The id is not sealed: whoever can write Redis could point at another connection's.
        return found if found is not None and found.connection == connection else None

    def read(self, id_: str) -> WorkerRequest | None:
        """Read one worker request.

        None if there is none, or it was forgotten, even if somebody brought it back. Raises
        RedisError.
        """
        kept = self._box.get(redis_keys.WORKER_REQUEST + id_)
        if kept is None or self._now() >= kept["told_at"] + LIFE_SECONDS:
            return None

        return WorkerRequest(
            id=id_,
            tenant=kept["tenant"],
            connection=ConnectionId(kept["connection"]),
            wish=Wish(kept["wish"]),
            told_at=kept["told_at"],
            by=kept.get("by", ""),
            stage=RequestStage(kept["stage"]),
            steps=tuple(Step.from_json(step) for step in kept["steps"]),
            said=Remark(**kept["said"]) if kept["said"] else None,
            sample=SampleWanted(**kept["sample"]) if kept.get("sample") else None,
        )

    def take(self, id_: str, worker: str) -> WorkerRequest | None:
        """Take one up; None if there is none, or somebody else was first. Raises as `read`."""
        found = self.read(id_)
        if found is None or found.over:
            return None
        first = self._redis.set(
            redis_keys.WORKER_REQUEST_TAKEN + id_, worker, nx=True, ex=LIFE_SECONDS
        )
        return self.tell(found.now_running()) if first else None

    def tell(self, worker_request: WorkerRequest) -> WorkerRequest:
        """Write down how far it has come; gives it with its time. Raises RedisError."""
        noted = replace(worker_request, told_at=self._now())
        self._write(noted)
        return noted

    def _write(self, worker_request: WorkerRequest) -> None:
        value = {
            "tenant": worker_request.tenant,
            "connection": worker_request.connection,
            "wish": worker_request.wish,
            "told_at": worker_request.told_at,
            "by": worker_request.by,
            "stage": worker_request.stage,
            "steps": [step.as_json() for step in worker_request.steps],
            "said": {
                "code": worker_request.said.code,
                "message": worker_request.said.message,
                "remedy": worker_request.said.remedy,
            }
            if worker_request.said
            else None,
            "sample": worker_request.sample.as_json() if worker_request.sample else None,
        }

        self._box.put(redis_keys.WORKER_REQUEST + worker_request.id, value, seconds=LIFE_SECONDS)


def workers_alive(redis: Redis) -> int:
    """How many workers advertise themselves; raises RedisError."""
    return redis.zcount(redis_keys.WORKERS, int(server_time(redis) * 1000), "+inf")


def silence(worker_request: WorkerRequest, workers: int, now: float) -> Remark | None:
    """Why nothing comes, if it is time to say so. Pure."""
    quiet = now - worker_request.told_at
    if worker_request.over:
        return None

    if worker_request.stage is RequestStage.ASKED and not workers:
        return Remark(
            "no_worker",
            "No certmail worker is running, so nobody can ask Google.",
            "Start one (`certmail worker`, or `certmail up`), then try again.",
        )

    if worker_request.stage is RequestStage.ASKED and quiet > TAKEN_UP_SECONDS:
        return Remark(
            "not_taken_up",
            "No worker has taken this up: they are busy, or the request was lost.",
            "Try again.",
        )

    if quiet > SILENT_SECONDS:
        return Remark(
            "worker_lost",
            "The worker that took this up has not been heard of for two minutes.",
            "Try again; if it happens again, see the worker's log.",
        )

    return None
