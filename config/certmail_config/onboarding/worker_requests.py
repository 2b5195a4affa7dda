"""Enquiries: what the gateway asks of a worker about a connection, and how far the answer has come.

The Celery message names an enquiry by its id, and nothing else; what is asked and found lies here, sealed, and is
forgotten after a while. A message that is lost leaves an enquiry that nobody takes up; one that is doubled finds it taken.
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

LIFE_SECONDS: Final = 900
"""How long an enquiry is remembered after it last got on."""
TAKEN_UP_SECONDS: Final = 10.0
"""A worker that is alive takes one up in a fraction of a second."""
SILENT_SECONDS: Final = 120.0
"""Longer than any step takes: a checklist's requests to Google have 25 s, and a removal says what it waits for."""


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


class Stage(StrEnum):
    """How far the answer has come."""

    ASKED = "asked"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    """It could not be done; `said` says why."""


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence, and what to do about it."""

    code: str
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Enquiry:
    """One enquiry; `told_at` is when something was last heard of it, seconds since 1970; `by` is who asks."""

    id: str
    tenant: str
    connection: ConnectionId
    wish: Wish
    told_at: float
    by: str = ""
    stage: Stage = Stage.ASKED
    steps: tuple[Step, ...] = ()
    said: Said | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.stage in {Stage.DONE, Stage.REFUSED}

    def now_running(self) -> Enquiry:
        """A worker has taken it up."""
        return replace(self, stage=Stage.RUNNING)

    def found(self, *steps: Step) -> Enquiry:
        """So much of the checklist is known."""
        return replace(self, steps=steps)

    def done(self, said: Said | None = None) -> Enquiry:
        """It is answered."""
        return replace(self, stage=Stage.DONE, said=said)

    def refused(self, said: Said) -> Enquiry:
        """It cannot be answered."""
        return replace(self, stage=Stage.REFUSED, said=said)


class Enquiries:
    """Where they are kept; what stands in Redis is sealed, since steps name mailboxes."""

    def __init__(self, redis: Redis, vault: Vault, now: Callable[[], float]) -> None:
        self._redis = redis
        self._box = Strongbox(redis, vault)
        self._now = now

    def ask(self, tenant: str, connection: ConnectionId, wish: Wish, *, by: str = "") -> Enquiry:
        """Write a new one down; raises RedisError."""
        asked = Enquiry(secrets.token_urlsafe(18), tenant, connection, wish, self._now(), by)
        self._write(asked)
        self._redis.set(redis_keys.ENQUIRY_LATEST + connection, asked.id, ex=LIFE_SECONDS)
        return asked

    def latest(self, connection: ConnectionId) -> Enquiry | None:
        """What was last asked about a connection, as long as it is remembered. Raises as `read`."""
        id_ = value_of(self._redis, redis_keys.ENQUIRY_LATEST + connection)
        found = self.read(id_.decode(errors="replace")) if id_ is not None else None
        # The id is not sealed: whoever can write Redis could point at another connection's.
        return found if found is not None and found.connection == connection else None

    def read(self, id_: str) -> Enquiry | None:
        """One enquiry; None if there is none, or it was forgotten, even if somebody brought it back. Raises RedisError."""
        kept = self._box.get(redis_keys.ENQUIRY + id_)
        if kept is None or self._now() >= kept["told_at"] + LIFE_SECONDS:
            return None
        return Enquiry(
            id=id_,
            tenant=kept["tenant"],
            connection=ConnectionId(kept["connection"]),
            wish=Wish(kept["wish"]),
            told_at=kept["told_at"],
            by=kept.get("by", ""),
            stage=Stage(kept["stage"]),
            steps=tuple(Step.from_json(step) for step in kept["steps"]),
            said=Said(**kept["said"]) if kept["said"] else None,
        )

    def take(self, id_: str, worker: str) -> Enquiry | None:
        """Take one up; None if there is none, or somebody else was first. Raises as `read`."""
        found = self.read(id_)
        if found is None or found.over:
            return None
        first = self._redis.set(redis_keys.ENQUIRY_TAKEN + id_, worker, nx=True, ex=LIFE_SECONDS)
        return self.tell(found.now_running()) if first else None

    def tell(self, enquiry: Enquiry) -> Enquiry:
        """Write down how far it has come; gives it with its time. Raises RedisError."""
        told = replace(enquiry, told_at=self._now())
        self._write(told)
        return told

    def _write(self, enquiry: Enquiry) -> None:
        value = {
            "tenant": enquiry.tenant,
            "connection": enquiry.connection,
            "wish": enquiry.wish,
            "told_at": enquiry.told_at,
            "by": enquiry.by,
            "stage": enquiry.stage,
            "steps": [step.as_json() for step in enquiry.steps],
            "said": {
                "code": enquiry.said.code,
                "message": enquiry.said.message,
                "remedy": enquiry.said.remedy,
            }
            if enquiry.said
            else None,
        }
        self._box.put(redis_keys.ENQUIRY + enquiry.id, value, seconds=LIFE_SECONDS)


def workers_alive(redis: Redis) -> int:
    """How many workers advertise themselves; raises RedisError."""
    return redis.zcount(redis_keys.WORKERS, int(server_time(redis) * 1000), "+inf")


def silence(enquiry: Enquiry, workers: int, now: float) -> Said | None:
    """Why nothing comes, if it is time to say so. Pure."""
    quiet = now - enquiry.told_at
    if enquiry.over:
        return None
    if enquiry.stage is Stage.ASKED and not workers:
        return Said(
            "no_worker",
            "No certmail worker is running, so nobody can ask Google.",
            "Start one (`certmail worker`, or `certmail up`), then try again.",
        )
    if enquiry.stage is Stage.ASKED and quiet > TAKEN_UP_SECONDS:
        return Said(
            "not_taken_up",
            "No worker has taken this up: they are busy, or the request was lost.",
            "Try again.",
        )
    if quiet > SILENT_SECONDS:
        return Said(
            "worker_lost",
            "The worker that took this up has not been heard of for two minutes.",
            "Try again; if it happens again, see the worker's log.",
        )
    return None
