"""What a delivery needs at hand: the ledger, the directory, tokens, Gmail, and the rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from redis.asyncio import Redis

from certmail_config.jobs.recipients import EVERYBODY, OnlyTo
from certmail_config.ledger import Call, arun, arun_durably
from certmail_config.metrics.instruments import WorkerMeters
from certmail_config.process.release import UNKNOWN
from certmail_config.tracing.spans import NO_TRACING, Tracing
from certmail_worker.delivery.settlement import Rules
from certmail_worker.delivery.shelf import TemplateShelf
from certmail_worker.google.gmail import Gmail
from certmail_worker.google.tenant_cache import Directory
from certmail_worker.google.tokens import Tokens

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DeliveryContext:
    """What one worker process delivers with; everything on it belongs to the pool's loop.

    `worker` names the process in the record; `replicas` is how many must confirm a begin.
    """

    worker: str
    redis: Redis
    directory: Directory
    tokens: Tokens
    gmail: Gmail
    rules: Rules
    lease_seconds: float
    send_window_seconds: float
    only_to: OnlyTo = EVERYBODY
    replicas: int = 0
    meters: WorkerMeters = field(default_factory=WorkerMeters)
    tracing: Tracing = NO_TRACING
    templates: TemplateShelf | None = None
    """What tenants write in their mails themselves; without, all mails are in certmail's words."""
    release: str = UNKNOWN
    """Which certmail this is, for the record."""
    unsettled: set[str] = field(default_factory=set)
    """Jobs that were begun here.

    What becomes of their requests this worker will know, and nobody else.
    """

    async def ledger(self, call: Call[T]) -> T:
        """Make one transition; raises RedisError."""
        return await arun(self.redis, call)

    async def durably(self, call: Call[T]) -> tuple[T, bool]:
        """Make one transition that must survive this server; raises RedisError.

        Gives also whether enough replicas have it.
        """
        return await arun_durably(self.redis, call, self.replicas)
