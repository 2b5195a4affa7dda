"""What a delivery needs at hand: the ledger, the directory, tokens, Gmail, and the rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from redis.asyncio import Redis

from certmail_config.ledger import Call, arun
from certmail_worker.directory import Directory
from certmail_worker.gmail import Gmail
from certmail_worker.plan import Rules
from certmail_worker.tokens import Tokens

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Desk:
    """One worker process's; everything on it belongs to the pool's loop. `worker` names the process in the record."""

    worker: str
    redis: Redis
    directory: Directory
    tokens: Tokens
    gmail: Gmail
    rules: Rules
    lease_seconds: float
    send_window_seconds: float

    async def ledger(self, call: Call[T]) -> T:
        """Make one transition; raises RedisError."""
        return await arun(self.redis, call)
